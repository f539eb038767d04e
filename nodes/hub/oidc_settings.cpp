#include "nodes/hub/oidc_settings.hpp"

#include <fmt/format.h>

#include "apiserver/tokens/oidc.hpp"
#include "nodes/common/authorities.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "nodes/parts/clock.hpp"
#include "nodes/parts/node_log.hpp"
#include "transport/http.hpp"

namespace wh {
namespace {

/// A connection for each URL: the issuer is asked once an hour.
result<std::string> fetch(const std::string& url, const std::string& ca_pem, duration timeout) {
  auto where = parse_server_url(url);
  if (!where) return where.err();
  tls_config tls;
  tls.trusted_ca_pem = ca_pem;
  tls.verify_host = where->at.host;
  const auto client = make_http_client(where->at, tls);
  auto answer =
      client->request("GET", where->path.empty() ? "/" : where->path, {{"accept", "application/json"}}, "", timeout);
  if (!answer) return fail(answer.err().code, url + ": " + answer.err().message);
  if (answer->status != 200) return fail(errc::unavailable, fmt::format("{}: it answers {}", url, answer->status));
  return answer->body ? *answer->body : std::string();
}

}  // namespace

void add_oidc_options(command& program, oidc_settings& s) {
  const auto add = [&](const char* name, const char* value, const char* help, auto& target) {
    program.add({.name = name, .value = value, .help = help, .group = "OpenID Connect"}, target);
  };
  add("oidc-issuer-url", "URL", "Issuer whose ID tokens are believed; https", s.issuer_url);
  add("oidc-client-id", "ID", "Client id that tokens must be for", s.client_id);
  add("oidc-username-claim", "CLAIM", "Claim that names the user", s.username_claim);
  add("oidc-username-prefix", "PREFIX",
      "Put before user names; default: the issuer and #, unless the claim is email; -: none", s.username_prefix);
  add("oidc-groups-claim", "CLAIM", "Claim that names the user's groups", s.groups_claim);
  add("oidc-groups-prefix", "PREFIX", "Put before groups", s.groups_prefix);
  add("oidc-required-claim", "KEY=VALUE", "A claim that tokens must have; may be given several times",
      s.required_claims);
  add("oidc-ca-file", "FILE", "Authorities of the issuer's certificate; default: the system's", s.ca_file);
}

result<void> validate(const oidc_settings& s) {
  if (s.issuer_url.empty()) {
    if (!s.client_id.empty() || !s.ca_file.empty() || !s.groups_claim.empty())
      return fail(errc::invalid, "--oidc-issuer-url is required with the other --oidc flags");
    return {};
  }
  if (auto url = parse_server_url(s.issuer_url); !url)
    return fail(errc::invalid, "--oidc-issuer-url: " + url.err().message);
  if (s.client_id.empty()) return fail(errc::invalid, "--oidc-client-id is required with --oidc-issuer-url");
  if (s.username_claim.empty()) return fail(errc::invalid, "--oidc-username-claim must not be empty");
  for (const auto& claim : s.required_claims)
    if (claim.find('=') == std::string::npos || claim.front() == '=')
      return fail(errc::invalid, "--oidc-required-claim must be KEY=VALUE: " + claim);
  return {};
}

result<std::unique_ptr<token_authenticator>> make_oidc(const oidc_settings& s) {
  if (s.issuer_url.empty()) return std::unique_ptr<token_authenticator>();
  auto ca = read_authorities(s.ca_file);
  if (!ca) return fail(ca.err().code, "--oidc-ca-file: " + ca.err().message);
  oidc_options o;
  o.keys.issuer = s.issuer_url;
  o.keys.fetch = [ca_pem = *ca](const std::string& url, duration timeout) { return fetch(url, ca_pem, timeout); };
  o.keys.complain = [](const std::string& text) { log_warning("oidc", text); };
  o.client_id = s.client_id;
  o.username_claim = s.username_claim;
  o.username_prefix = s.username_prefix;
  o.groups_claim = s.groups_claim;
  o.groups_prefix = s.groups_prefix;
  for (const auto& claim : s.required_claims)
    o.required_claims[claim.substr(0, claim.find('='))] = claim.substr(claim.find('=') + 1);
  o.now = wall_clock;
  return std::unique_ptr<token_authenticator>(std::make_unique<oidc_tokens>(std::move(o)));
}

}  // namespace wh
