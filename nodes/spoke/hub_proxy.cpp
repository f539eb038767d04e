#include "nodes/spoke/hub_proxy.hpp"

#include "nodes/common/authorities.hpp"
#include "nodes/common/files.hpp"

namespace wh {
namespace {

constexpr const char* group = "Proxy";

result<void> read_credentials(const std::string& file, proxy_config& proxy) {
  if (!proxy.credentials.empty())
    return fail(errc::invalid,
                "--hub-proxy-credentials-file: --hub-proxy has user and password already: give one of both");
  auto text = read_secret_file(file);
  if (!text) return fail(errc::invalid, "--hub-proxy-credentials-file: " + text.err().message);
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (auto ok = check_proxy_credentials(*text); !ok)
    return fail(errc::invalid, "--hub-proxy-credentials-file " + file + ": " + ok.err().message);
  proxy.credentials = *std::move(text);
  return {};
}

result<void> trust_authorities(const std::string& file, proxy_config& proxy) {
  auto ca = read_authorities(file);
  if (!ca) return fail(errc::invalid, "--hub-proxy-ca: " + ca.err().message);
  if (auto readable = inspect_certificate(*ca); !readable)
    return fail(errc::invalid, "--hub-proxy-ca " + file + ": " + readable.err().message);
  proxy.ca_pem = *std::move(ca);
  return {};
}

}  // namespace

void add_proxy_options(command& program, proxy_settings& s) {
  program.add({.name = "hub-proxy",
               .value = "URL",
               .help = "HTTP proxy to the hub: http://host:port or https://host:port; none: no proxy any more",
               .group = group,
               .secret = true},
              s.url);
  program.add({.name = "hub-proxy-credentials-file",
               .value = "FILE",
               .help = "user:password for the proxy, in a file that only its owner may read; none: no credentials",
               .group = group},
              s.credentials_file);
  program.add({.name = "hub-proxy-ca",
               .value = "FILE",
               .help = "Authorities that sign an https proxy's certificate; the system's without it, or with none",
               .group = group},
              s.ca_file);
}

result<std::shared_ptr<const proxy_config>> open_proxy(const proxy_settings& s) {
  if (s.url.empty()) return std::shared_ptr<const proxy_config>();
  auto parsed = parse_proxy_url(s.url);
  if (!parsed) return fail(errc::invalid, "--hub-proxy: " + parsed.err().message);
  auto proxy = std::make_shared<proxy_config>(*std::move(parsed));
  if (!s.credentials_file.empty())
    if (auto ok = read_credentials(s.credentials_file, *proxy); !ok) return ok.err();
  if (!proxy->tls && !s.ca_file.empty())
    return fail(errc::invalid, "--hub-proxy-ca is for an https proxy, and --hub-proxy is an http one");
  if (proxy->tls)
    if (auto ok = trust_authorities(s.ca_file, *proxy); !ok) return ok.err();
  return std::shared_ptr<const proxy_config>(std::move(proxy));
}

}  // namespace wh
