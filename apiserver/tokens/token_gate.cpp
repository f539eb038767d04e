#include "apiserver/tokens/token_gate.hpp"

#include "base/encoding.hpp"

namespace wh {

namespace {

/// The issuer that a token claims, unproven; "" when it cannot be read.
std::string claimed_issuer(const std::string& token) {
  const auto first = token.find('.'), second = token.find('.', first + 1);
  auto text = from_base64url(std::string_view(token).substr(first + 1, second - first - 1));
  auto claims = text ? parse_json(*text, {.depth_max = 16, .bytes_max = token_bytes_max, .yaml_nodes_max = 0})
                     : result<document>(text.err());
  return claims ? std::string(string_at(*claims, {"iss"})) : std::string();
}

}  // namespace

void token_gate::authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) {
  if (token.size() > token_bytes_max) return done(fail(errc::unauthorized, "the token is larger than 32 KiB"));
  if (bootstrap_tokens::has_form(token)) return bootstrap_.authenticate(token, audiences, std::move(done));
  if (!looks_like_jwt(token)) return done(fail(errc::unauthorized, "the token is of no known form"));
  if (oidc_ && claimed_issuer(token) == oidc_issuer_) return oidc_->authenticate(token, audiences, std::move(done));
  accounts_.authenticate(token, audiences, std::move(done));
}

}  // namespace wh
