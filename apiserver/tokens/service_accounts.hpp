#pragma once
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "apiserver/api.hpp"
#include "apiserver/tokens/jwt.hpp"
#include "apiserver/tokens/recent_cache.hpp"
#include "apiserver/tokens/signing_keys.hpp"

namespace wh {

struct service_account_options {
  store* data = nullptr;
  std::function<instant()> now;
  std::string issuer = "https://kubernetes.default.svc";  ///< `iss`, and the audience of tokens that name none
  std::string ca_pem = {};                                ///< for token Secrets
  duration life_max = std::chrono::hours(24 * 365);
};

/// Tokens of ServiceAccounts: signs them, and believes those whose signature, dates and audience are right while their
/// ServiceAccount (by uid) and the object that they are bound to exist. A signature is checked once and remembered by
/// the token's hash; the existence is looked up each time, so a deletion counts at once.
class service_accounts final : public token_authenticator, public token_issuer, public feed_listener {
 public:
  explicit service_accounts(service_account_options options);
  ~service_accounts() override;
  void on_committed(const std::vector<change>& changes) override;

  void authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) override;
  result<token_identity> check(const std::string& token, const std::vector<std::string>& audiences);

  result<issued> issue(const token_order& order) override;
  result<document> discovery() override;
  result<document> key_set() override;
  std::string ca_pem() const override { return options_.ca_pem; }
  const std::string& issuer() const { return options_.issuer; }

 private:
  /// What a token with a good signature says.
  struct facts {
    document claims;
    std::string ns, account, account_uid, bound_resource, bound_name, bound_uid;
    std::vector<std::string> audiences;
  };
  using facts_ptr = std::shared_ptr<const facts>;

  result<facts_ptr> believe(const std::string& token);
  result<facts_ptr> read_facts(jwt token) const;
  result<void> check_existence(const facts& f) const;
  void apply(const object_key& key, const shared_bytes& body);

  service_account_options options_;
  signing_keys keys_;
  recent_cache<facts> known_{2048};
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::string> uids_;  ///< of ServiceAccounts, by namespace/name
};

}  // namespace wh
