#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nodes/common/authorities.hpp"
#include "transport/net.hpp"

namespace wh {

/// What a kubeconfig of ours says: one server, one user, everything inline.
struct kubeconfig_contents {
  std::string name;  ///< of cluster, user and context
  host_port server;
  std::string ca_pem;
  key_and_cert identity;
};

/// The kubeconfig as YAML, as kubectl reads it.
std::string kubeconfig_text(const kubeconfig_contents& contents);

/// Writes it atomically, readable by its owner alone.
result<void> write_kubeconfig(const std::string& path, const kubeconfig_contents& contents);

/// How to reach an API server, and as whom.
struct api_access {
  host_port server;
  std::string path_prefix;  ///< of the server URL, without trailing slash: `` or `/k8s/clusters/c1`
  tls_config tls;
  std::string token;   ///< bearer token; empty: the certificate speaks
  std::string ns;      ///< of the context; empty: default
  std::string origin;  ///< the file it came from, for messages
};

/// What to take of a kubeconfig, and what may be done for it.
struct kubeconfig_choice {
  std::string context = {};                           ///< empty: the current one
  bool run_plugins = false;                           ///< run credential plug-ins (exec); else they are refused
  duration plugin_timeout = std::chrono::minutes(1);  ///< a plug-in may have to ask a person
  std::vector<std::string> authorities = system_authorities();  ///< for servers whose entry names none
};

/// Reads one context of a kubeconfig. Certificates, keys and tokens may be inline or in files named relative to the
/// kubeconfig. Errors name the file, the entry and what to do: no such context, a context without cluster, plain http, and
/// what this reader does not do: `insecure-skip-tls-verify`, `proxy-url`, passwords, impersonation (`as`), auth-provider.
result<api_access> read_kubeconfig(const std::string& path, const kubeconfig_choice& choice = {});
/// The same from text; `path` is for messages and relative names.
result<api_access> parse_kubeconfig(const std::string& text, const std::string& path,
                                    const kubeconfig_choice& choice = {});

/// Which file to read: `flag`, else the first existing of the `:` list in KUBECONFIG, else ~/.kube/config. Errors say
/// where it was looked for.
result<std::string> find_kubeconfig(const std::string& flag,
                                    const std::function<std::optional<std::string>(const std::string&)>& variable);

/// Host, port and path of an `https://` URL.
struct server_url {
  host_port at;
  std::string path;
};
result<server_url> parse_server_url(std::string_view url);

}  // namespace wh
