#include "nodes/common/credential_plugin.hpp"

#include <unistd.h>

#include "base/encoding.hpp"
#include "nodes/common/child_output.hpp"
#include "nodes/common/files.hpp"

namespace wh {
namespace {

constexpr const char* config_extension = "client.authentication.k8s.io/exec";

bool is_spoken(std::string_view api_version) {
  return api_version == "client.authentication.k8s.io/v1" || api_version == "client.authentication.k8s.io/v1beta1";
}

/// The cluster as it is told to a plug-in.
document told_cluster(const document& cluster) {
  document told = document::object();
  for (const char* key :
       {"server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"})
    if (const auto* value = find_path(cluster, {key})) told[key] = *value;
  if (const auto* extensions = find_path(cluster, {"extensions"}); extensions && extensions->is_array())
    for (const auto& e : *extensions)
      if (string_at(e, {"name"}) == config_extension && e.contains("extension")) told["config"] = e.at("extension");
  return told;
}

/// What KUBERNETES_EXEC_INFO says.
std::string exec_info(const document& exec, const document& cluster, bool interactive) {
  document spec = {{"interactive", interactive}};
  if (bool_at(exec, {"provideClusterInfo"}, false)) spec["cluster"] = told_cluster(cluster);
  return document{{"kind", "ExecCredential"},
                  {"apiVersion", std::string(string_at(exec, {"apiVersion"}))},
                  {"spec", std::move(spec)}}
      .dump();
}

std::vector<std::string> own_variables(const document& exec) {
  std::vector<std::string> all;
  if (const auto* list = find_path(exec, {"env"}); list && list->is_array())
    for (const auto& one : *list)
      all.push_back(std::string(string_at(one, {"name"})) + "=" + std::string(string_at(one, {"value"})));
  return all;
}

/// With a slash and relative: beside the kubeconfig. Without a slash: on PATH.
std::string program_of(std::string_view command, const std::string& kubeconfig) {
  return command.find('/') == std::string_view::npos ? std::string(command)
                                                     : path_beside(kubeconfig, std::string(command));
}

}  // namespace

result<plugin_credentials> read_exec_credential(std::string_view text, std::string_view api_version) {
  const auto answer = parse_json(text);
  if (!answer) return fail(errc::malformed, "printed no JSON: " + answer.err().message);
  if (kind_of(*answer) != "ExecCredential" || wh::api_version(*answer) != api_version)
    return fail(errc::invalid, "did not print an ExecCredential of " + std::string(api_version));
  plugin_credentials credentials{.token = std::string(string_at(*answer, {"status", "token"})),
                                 .cert_pem = std::string(string_at(*answer, {"status", "clientCertificateData"})),
                                 .key_pem = std::string(string_at(*answer, {"status", "clientKeyData"}))};
  if (credentials.cert_pem.empty() != credentials.key_pem.empty())
    return fail(errc::invalid, "gave a certificate without a key, or a key without a certificate");
  if (credentials.token.empty() && credentials.cert_pem.empty())
    return fail(errc::invalid, "gave neither a token nor a certificate");
  return credentials;
}

result<plugin_credentials> run_credential_plugin(const document& exec, const plugin_run& how) {
  const std::string command(string_at(exec, {"command"}));
  const auto version = string_at(exec, {"apiVersion"});
  const auto refused = [&](errc code, const std::string& why) {
    return fail(
        code, how.kubeconfig + ": the credential plug-in " + (command.empty() ? "(no command)" : command) + " " + why);
  };
  if (command.empty()) return refused(errc::invalid, "cannot be run: exec.command is missing");
  if (!is_spoken(version))
    return refused(errc::unsupported, "speaks \"" + std::string(version) +
                                          "\"; client.authentication.k8s.io/v1 and v1beta1 are supported");
  const auto mode = string_at(exec, {"interactiveMode"});
  const bool terminal = mode != "Never" && ::isatty(STDIN_FILENO) == 1;
  if (mode == "Always" && !terminal)
    return refused(errc::unsupported, "wants to ask a person, and there is no terminal");
  child_command child{.words = {program_of(command, how.kubeconfig)},
                      .environment = own_variables(exec),
                      .own_stdin = terminal,
                      .timeout = how.timeout};
  for (auto& word : texts_at(exec, {"args"})) child.words.push_back(std::move(word));
  child.environment.push_back("KUBERNETES_EXEC_INFO=" + exec_info(exec, how.cluster, terminal));
  const auto hint = std::string(string_at(exec, {"installHint"}));
  const auto text = output_of(child);
  if (!text)
    return refused(text.err().code,
                   text.err().message + (hint.empty() || text.err().code != errc::not_found ? "" : "\n" + hint));
  auto credentials = read_exec_credential(*text, version);
  if (!credentials) return refused(credentials.err().code, credentials.err().message);
  return credentials;
}

}  // namespace wh
