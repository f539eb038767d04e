#pragma once
#include "apiserver/tokens/bootstrap_tokens.hpp"
#include "apiserver/tokens/service_accounts.hpp"

namespace wh {

/// All bearer tokens of a server: tells by a token's form and issuer who has to judge it.
class token_gate final : public token_authenticator {
 public:
  explicit token_gate(service_account_options options)
      : bootstrap_(*options.data, options.now), accounts_(std::move(options)) {}
  /// Judges tokens of another issuer; null: there are none. Set before the first request.
  void set_oidc(std::unique_ptr<token_authenticator> oidc, std::string issuer) {
    oidc_ = std::move(oidc);
    oidc_issuer_ = std::move(issuer);
  }

  void authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) override;
  token_issuer& issuer() { return accounts_; }

 private:
  bootstrap_tokens bootstrap_;
  service_accounts accounts_;
  std::unique_ptr<token_authenticator> oidc_;
  std::string oidc_issuer_;
};

}  // namespace wh
