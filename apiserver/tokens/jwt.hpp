#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "resources/document.hpp"
#include "transport/jose.hpp"

namespace wh {

/// A JSON Web Token taken apart (RFC 7519, compact form). Nothing in it is believed yet.
struct jwt {
  std::string algorithm;  ///< `alg`: ES256 or RS256
  std::string key_id;     ///< `kid`; may be empty
  document claims;        ///< an object
  std::string signed_text;
  std::string signature;
};

/// Largest token that is looked at. Headers are limited to 64 KiB anyway.
inline constexpr std::size_t token_bytes_max = 32 * 1024;

/// Errors name the part that is wrong and hold no part of the token.
result<jwt> parse_jwt(std::string_view token);
/// True for what has the outer form of one: three parts, nothing but base64url.
bool looks_like_jwt(std::string_view token);

/// Signs claims with ES256.
result<std::string> make_jwt(const token_signer& signer, const document& claims);

/// True if the signature is the key's and of the key's algorithm.
bool is_signed_by(const jwt& token, const token_key& key);

/// `aud`: a text or a list of them.
std::vector<std::string> audiences_of(const document& claims);
/// A NumericDate claim; nullopt when it is absent. errc::malformed when it is no number.
result<std::optional<instant>> date_claim(const document& claims, std::string_view name);
/// Checks exp and nbf (which may be `leeway` off); `needs_end`: a token without exp is refused.
result<void> check_dates(const document& claims, instant now, duration leeway, bool needs_end);

/// Key id and public members of an ES256 key as a JWK.
document public_jwk(const token_signer& signer);
std::string key_id_of(const token_signer& signer);
/// A key of a JWK set that signs tokens with ES256 or RS256; errc::unsupported for others.
result<std::shared_ptr<const token_key>> read_jwk(const document& jwk);

}  // namespace wh
