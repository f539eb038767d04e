#include "nodes/common/kubeconfig.hpp"

#include <unistd.h>

#include <cstdlib>

#include "base/encoding.hpp"
#include "nodes/common/credential_plugin.hpp"
#include "nodes/common/files.hpp"
#include "resources/document.hpp"

namespace wh {
namespace {

/// The member of a list that has this name: `clusters: [{name: x, cluster: {…}}]` gives the inner object.
result<const document*> find_entry(const document& config, const std::string& path, const char* list, const char* inner,
                                   std::string_view name) {
  if (const auto* entries = find_path(config, {list}); entries && entries->is_array()) {
    for (const auto& entry : *entries) {
      if (string_at(entry, {"name"}) != name) continue;
      if (const auto* found = find_path(entry, {inner}); found && found->is_object()) return found;
    }
  }
  return fail(errc::invalid, path + ": " + list + " has no entry \"" + std::string(name) + "\"");
}

/// `<key>-data` (base64) or the file that `<key>` names; empty when there is neither.
result<std::string> inline_or_file(const document& entry, const std::string& path, const std::string& key) {
  if (const auto data = string_at(entry, {key + "-data"}); !data.empty()) {
    auto decoded = from_base64(data);
    if (!decoded) return fail(errc::malformed, path + ": " + key + "-data is not base64: " + decoded.err().message);
    return decoded;
  }
  const auto file = string_at(entry, {key});
  if (file.empty()) return std::string();
  auto contents = read_file(path_beside(path, std::string(file)), std::size_t{1} << 20);
  if (!contents) return fail(contents.err().code, path + ": " + key + ": " + contents.err().message);
  return contents;
}

/// Whom to trust where a cluster's entry names no authority: the system's, as kubectl does. Empty: there are none.
std::string trusted_by_the_system(const kubeconfig_choice& choice) {
  for (const auto& file : choice.authorities)
    if (auto contents = read_file(file); contents && !contents->empty()) return std::move(*contents);
  return {};
}

result<void> take_cluster(const document& cluster, const std::string& path, const kubeconfig_choice& choice,
                          api_access& access) {
  if (bool_at(cluster, {"insecure-skip-tls-verify"}, false))
    return fail(errc::unsupported, path +
                                       ": insecure-skip-tls-verify is not supported: give the server's CA in "
                                       "certificate-authority-data instead");
  if (!string_at(cluster, {"proxy-url"}).empty())
    return fail(errc::unsupported, path +
                                       ": proxy-url is not supported here: run this where the server can be reached "
                                       "directly, or through a tunnel (kubectl proxy is none: it speaks plain http)");
  const auto url = parse_server_url(string_at(cluster, {"server"}));
  if (!url) return fail(url.err().code, path + ": " + url.err().message);
  access.server = url->at;
  access.path_prefix = url->path;
  auto ca = inline_or_file(cluster, path, "certificate-authority");
  if (!ca) return ca.err();
  if (ca->empty()) *ca = trusted_by_the_system(choice);
  if (ca->empty())
    return fail(errc::unsupported,
                path + ": the cluster has no certificate-authority(-data); the server cannot be verified");
  access.tls.trusted_ca_pem = std::move(*ca);
  const auto name = string_at(cluster, {"tls-server-name"});
  access.tls.verify_host = name.empty() ? access.server.host : std::string(name);
  return {};
}

/// The token of a file, which is newer than one beside it.
result<std::string> bearer_token(const document& user, const std::string& path) {
  const auto file = string_at(user, {"tokenFile"});
  if (file.empty()) return std::string(string_at(user, {"token"}));
  auto token = read_file(path_beside(path, std::string(file)), 65536);
  if (!token) return fail(token.err().code, path + ": tokenFile: " + token.err().message);
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r' || token->back() == ' ')) token->pop_back();
  return token;
}

result<void> check_user(const document& user, const std::string& path, const kubeconfig_choice& choice) {
  const auto refused = [&](const std::string& what) {
    return fail(errc::unsupported, path + ": " + what + " not supported here: use a client certificate or a token");
  };
  if (user.contains("auth-provider"))
    return refused("the user's credentials come from a plug-in (auth-provider), which is");
  if (user.contains("exec") && !choice.run_plugins)
    return refused("the user's credentials come from a plug-in (exec), which is");
  if (user.contains("username") || user.contains("password")) return refused("user names with passwords are");
  for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"})
    if (user.contains(key)) return refused(std::string("acting as somebody else (") + key + ") is");
  return {};
}

result<void> take_user(const document& user, const document& cluster, const std::string& path,
                       const kubeconfig_choice& choice, api_access& access) {
  if (auto ok = check_user(user, path, choice); !ok) return ok;
  auto cert = inline_or_file(user, path, "client-certificate");
  if (!cert) return cert.err();
  auto key = inline_or_file(user, path, "client-key");
  if (!key) return key.err();
  if (cert->empty() != key->empty())
    return fail(errc::invalid, path + ": client-certificate and client-key must be given together");
  auto token = bearer_token(user, path);
  if (!token) return token.err();
  access.token = std::move(*token);
  const auto* exec = find_path(user, {"exec"});
  if (exec && exec->is_object() && access.token.empty() && cert->empty()) {
    auto given =
        run_credential_plugin(*exec, {.kubeconfig = path, .cluster = cluster, .timeout = choice.plugin_timeout});
    if (!given) return given.err();
    access.token = std::move(given->token);
    *cert = std::move(given->cert_pem);
    *key = std::move(given->key_pem);
  }
  access.tls.identity = {.key_pem = std::move(*key), .cert_pem = std::move(*cert)};
  return {};
}

/// The names of a list's entries, for who named another.
std::string names_in(const document& config, const char* list) {
  std::string names;
  if (const auto* entries = find_path(config, {list}); entries && entries->is_array())
    for (const auto& entry : *entries) names += (names.empty() ? "" : ", ") + std::string(string_at(entry, {"name"}));
  return names.empty() ? "none" : names;
}

bool readable(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

}  // namespace

result<server_url> parse_server_url(std::string_view url) {
  const auto refused = [&](const std::string& why) {
    return fail(errc::invalid, "server \"" + std::string(url) + "\" " + why);
  };
  constexpr std::string_view scheme = "https://";
  if (!url.starts_with(scheme)) return refused("must be an https:// URL");
  const auto rest = url.substr(scheme.size());
  const auto slash = rest.find('/');
  std::string authority(rest.substr(0, slash));
  std::string path = slash == std::string_view::npos ? std::string() : std::string(rest.substr(slash));
  while (path.ends_with('/')) path.pop_back();
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  const bool has_port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  auto at = parse_host_port(has_port ? authority : authority + ":443");
  if (!at) return refused("names no host and port");
  return server_url{.at = std::move(*at), .path = std::move(path)};
}

result<api_access> parse_kubeconfig(const std::string& text, const std::string& path, const kubeconfig_choice& choice) {
  auto docs = parse_yaml(text);
  if (!docs) return fail(docs.err().code, path + ": " + docs.err().message);
  if (docs->size() != 1 || !docs->front().is_object()) return fail(errc::invalid, path + " is no kubeconfig");
  const auto& config = docs->front();
  const auto wanted = choice.context.empty() ? string_at(config, {"current-context"}) : choice.context;
  if (wanted.empty())
    return fail(errc::invalid, path + ": no current-context; choose one with: kubectl config use-context NAME");
  const auto context = find_entry(config, path, "contexts", "context", wanted);
  if (!context) return fail(context.err().code, context.err().message + "; there are: " + names_in(config, "contexts"));
  const auto cluster = find_entry(config, path, "clusters", "cluster", string_at(**context, {"cluster"}));
  if (!cluster) return cluster.err();
  const auto user = find_entry(config, path, "users", "user", string_at(**context, {"user"}));
  if (!user) return user.err();
  api_access access;
  access.origin = path;
  access.ns = std::string(string_at(**context, {"namespace"}));
  if (auto taken = take_cluster(**cluster, path, choice, access); !taken) return taken.err();
  if (auto taken = take_user(**user, **cluster, path, choice, access); !taken) return taken.err();
  return access;
}

result<api_access> read_kubeconfig(const std::string& path, const kubeconfig_choice& choice) {
  const auto text = read_file(path, std::size_t{4} << 20);
  if (!text) return text.err();
  return parse_kubeconfig(*text, path, choice);
}

result<std::string> find_kubeconfig(const std::string& flag,
                                    const std::function<std::optional<std::string>(const std::string&)>& variable) {
  if (!flag.empty()) return flag;
  if (const auto list = variable("KUBECONFIG"); list && !list->empty()) {
    for (std::size_t start = 0; start <= list->size();) {
      const auto end = std::min(list->find(':', start), list->size());
      if (auto path = list->substr(start, end - start); !path.empty() && readable(path)) return path;
      start = end + 1;
    }
    return fail(errc::not_found, "no kubeconfig: KUBECONFIG names no readable file (" + *list + ")");
  }
  const auto home = variable("HOME");
  auto fallback = home.value_or("") + "/.kube/config";
  if (readable(fallback)) return fallback;
  return fail(errc::not_found,
              "no kubeconfig: give --kubeconfig FILE or set KUBECONFIG (a hub writes one to "
              "admin.kubeconfig in its data folder)");
}

}  // namespace wh
