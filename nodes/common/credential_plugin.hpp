#pragma once
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "resources/document.hpp"

namespace wh {

/// What a credential plug-in answered: a bearer token, or a certificate with its key, or both.
struct plugin_credentials {
  std::string token;
  std::string cert_pem;
  std::string key_pem;
};

/// How a plug-in is run.
struct plugin_run {
  std::string kubeconfig;  ///< the file that names it: for messages, and relative commands are beside it
  document cluster;        ///< the kubeconfig's cluster entry, told to plug-ins that ask for it
  duration timeout;        ///< it is killed after this long
};

/// Runs the command of a user's `exec` entry as kubectl does, with KUBERNETES_EXEC_INFO, and reads the ExecCredential that
/// it prints. Its stderr is ours, so that its complaints and questions are seen; its stdin too, if that is a terminal and
/// interactiveMode allows it. Blocks. Errors name the kubeconfig, the command, and the entry's installHint.
result<plugin_credentials> run_credential_plugin(const document& exec, const plugin_run& how);

/// The credentials in an ExecCredential as a plug-in prints it; `api_version` is what was asked for.
result<plugin_credentials> read_exec_credential(std::string_view text, std::string_view api_version);

}  // namespace wh
