#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace wh {

/// The keys under which a store keeps secret bodies at rest (AES-256-GCM). Immutable; any thread may use one.
///
/// The key file has one entry a line, the newest first; `#` begins a comment:
///   key: BASE64      32 random bytes
///   plain            secrets are stored as they are
/// New bodies are written as the first entry says; all keys are used for reading. Rotation: put a new key in front, start
/// the node, wait until it has said that nothing is sealed with the old key any more, remove the old key.
///
///   sealed body = key id(8) nonce(12) ciphertext tag(16)
///
/// The key id is the beginning of the key's SHA-256; what the body belongs to (`context`) is authenticated with it, so
/// that a sealed body cannot be moved to another object or revision.
class key_ring {
 public:
  using key_id = std::array<char, 8>;
  static constexpr std::size_t overhead_bytes = 8 + 12 + 16;

  /// `origin` names the file in errors.
  static result<std::shared_ptr<const key_ring>> parse(std::string_view text, const std::string& origin);
  ~key_ring();
  key_ring(const key_ring&) = delete;
  key_ring& operator=(const key_ring&) = delete;

  /// False: the first entry is `plain`.
  bool seals() const { return seals_; }
  /// 16 hex digits of the key that seals; `plain` if none does.
  std::string primary() const;
  /// Whether the key of these 16 hex digits is there.
  bool has(std::string_view hex_id) const;

  /// Whether this body is as the first entry wants it.
  bool is_current(std::string_view sealed) const;

  result<std::string> seal(std::string_view body, std::string_view context) const;
  /// errc::unavailable: the ring lacks the key (the message names it); errc::corrupt: damaged, or another object's.
  result<std::string> open(std::string_view sealed, std::string_view context) const;

 private:
  struct key {
    key_id id;
    std::string bytes;
  };
  key_ring() = default;
  std::vector<key> keys_;
  bool seals_ = false;
};

/// 16 hex digits of the key that a sealed body names; "" when it is too short to be one.
std::string sealed_with(std::string_view sealed);

/// A new entry for a key file: `key: BASE64` and a line end.
std::string new_key_line();

}  // namespace wh
