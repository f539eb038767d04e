#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wh {

/// A public key that checks signatures of JSON Web Tokens. Immutable, thread-safe.
class token_key {
 public:
  virtual ~token_key() = default;
  /// ES256 or RS256: the one algorithm that this key serves, so that a token cannot choose another.
  virtual std::string algorithm() const = 0;
  /// True if `signature` (raw, as RFC 7518 has it) is this key's over the text.
  virtual bool verify(std::string_view text, std::string_view signature) const = 0;
};
/// From a JWK's members, decoded: coordinates of a P-256 point (32 bytes each).
result<std::shared_ptr<const token_key>> open_ec_token_key(std::string_view x, std::string_view y);
/// Modulus (2048 to 8192 bits) and exponent, big-endian.
result<std::shared_ptr<const token_key>> open_rsa_token_key(std::string_view modulus, std::string_view exponent);

/// A P-256 key pair that signs tokens with ES256. Immutable, thread-safe.
class token_signer {
 public:
  virtual ~token_signer() = default;
  virtual result<std::string> sign(std::string_view text) const = 0;
  virtual std::shared_ptr<const token_key> key() const = 0;
  /// The public point's coordinates, 32 bytes each.
  virtual std::string x() const = 0;
  virtual std::string y() const = 0;
  /// Names the key: SHA-256 of its SubjectPublicKeyInfo.
  virtual std::string fingerprint() const = 0;
};
result<std::shared_ptr<const token_signer>> open_token_signer(const std::string& key_pem);

/// SHA-256, 32 bytes.
std::string sha256_bytes(std::string_view bytes);

}  // namespace wh
