#pragma once
#include <map>

#include "apiserver/api.hpp"
#include "apiserver/tokens/oidc_keys.hpp"
#include "apiserver/tokens/recent_cache.hpp"

namespace wh {

/// Whose ID tokens are believed, and how their claims become a user; the words are those of kube-apiserver's flags.
struct oidc_options {
  oidc_keys_options keys;  ///< its issuer is the one that tokens must name
  std::string client_id;   ///< that tokens must be for
  std::string username_claim = "sub";
  std::string username_prefix;  ///< empty: `ISSUER#`, unless the claim is email; `-`: none
  std::string groups_claim;     ///< empty: tokens bring no groups
  std::string groups_prefix;
  std::map<std::string, std::string> required_claims;
  std::function<instant()> now;
};

/// ID tokens of an OpenID Connect issuer. Names and groups that begin with `system:` are the server's own and are never
/// taken from a token.
class oidc_tokens final : public token_authenticator {
 public:
  explicit oidc_tokens(oidc_options options);
  void authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) override;

 private:
  /// A token whose signature and claims are good.
  struct facts {
    document claims;
    user_info user;
    std::vector<std::string> audiences;
  };
  using facts_ptr = std::shared_ptr<const facts>;

  result<facts_ptr> judge(const jwt& token, const std::vector<oidc_keys::key_ptr>& keys) const;
  result<user_info> user_of(const document& claims) const;
  result<token_identity> settle(const facts& f, const std::vector<std::string>& audiences) const;

  const oidc_options options_;
  recent_cache<facts> known_{2048};
  oidc_keys keys_;  ///< last: its thread answers those who wait, who use the rest
};

}  // namespace wh
