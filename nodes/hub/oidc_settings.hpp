#pragma once
#include <memory>
#include <string>
#include <vector>

#include "apiserver/api.hpp"
#include "nodes/common/options.hpp"

namespace wh {

/// Flags of an OpenID Connect issuer, named as kube-apiserver's.
struct oidc_settings {
  std::string issuer_url;  ///< empty: no ID tokens
  std::string client_id;
  std::string username_claim = "sub";
  std::string username_prefix;
  std::string groups_claim;
  std::string groups_prefix;
  std::vector<std::string> required_claims;  ///< key=value
  std::string ca_file;                       ///< empty: the system's authorities
};

void add_oidc_options(command& program, oidc_settings& s);
result<void> validate(const oidc_settings& s);

/// The authenticator; null when no issuer is set. Errors name the file that cannot be read.
result<std::unique_ptr<token_authenticator>> make_oidc(const oidc_settings& s);

}  // namespace wh
