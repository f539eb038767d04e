#pragma once
#include "apiserver/api.hpp"

namespace wh {

/// `id.secret` as kubeadm's: Secret kube-system/bootstrap-token-<id> of type bootstrap.kubernetes.io/token. The secret part
/// is kept plain (`token-secret`) or, as whctl's join tokens, as its SHA-256 (`token-secret-sha256`). Only those with
/// `usage-bootstrap-authentication: "true"` speak at the API.
class bootstrap_tokens final : public token_authenticator {
 public:
  bootstrap_tokens(store& data, std::function<instant()> now) : data_(data), now_(std::move(now)) {}
  void authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) override;

  /// True for what has the form of one: six characters, a dot, 16 to 64 characters, all of a-z and 0-9.
  static bool has_form(std::string_view token);

 private:
  result<token_identity> check(const std::string& token) const;

  store& data_;
  std::function<instant()> now_;
};

}  // namespace wh
