#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.hpp"

namespace wh::internal {

/// Reads msgpack values one after the other, each as the type that the caller expects. msgpack-c would first build a
/// tree, 24 bytes for every byte of a hostile frame; here nothing is allocated and strings are views of the input.
/// After the first failure every read returns an empty value, so that the caller asks once per field.
class msgpack_cursor {
 public:
  explicit msgpack_cursor(std::string_view bytes) : rest_(bytes) {}

  bool failed() const { return !problem_.empty(); }
  /// Why, without the field's name: `expected text, got an array`.
  const std::string& problem() const { return problem_; }
  /// The bytes end too early or are no msgpack at all, as against a sound value of the wrong type.
  bool broken() const { return broken_; }
  bool at_end() const { return rest_.empty(); }
  void fail(std::string why) {
    if (!failed()) problem_ = std::move(why);
  }

  /// Number of elements that follow; every element takes a byte at least, so a count beyond the rest is a lie.
  std::size_t array_header() { return header("an array", 0x90, 0xdc, 1); }
  /// Number of pairs that follow.
  std::size_t map_header() { return header("a map", 0x80, 0xde, 2); }

  bool boolean() {
    const auto type = take_type();
    if (type == 0xc2 || type == 0xc3) return type == 0xc3;
    mismatch("a boolean", type);
    return false;
  }

  /// Any integer format, as long as the value is not negative.
  std::uint64_t unsigned_integer() {
    const auto type = take_type();
    if (type <= 0x7f) return type;
    if (type >= 0xcc && type <= 0xcf) return big_endian(std::size_t{1} << (type - 0xcc));
    if (type >= 0xd0 && type <= 0xd3) return signed_body(std::size_t{1} << (type - 0xd0));
    if (type >= 0xe0) fail("is negative");
    else mismatch("an integer", type);
    return 0;
  }

  std::string_view text() {
    const auto value = sized("text", take_type(), 0xd9);
    if (!failed() && !is_utf8(value)) fail("is not valid UTF-8");
    return failed() ? std::string_view{} : value;
  }

  /// Bytes, or nil for none.
  std::optional<std::string_view> bytes_or_nil() {
    const auto type = take_type();
    if (type == 0xc0) return std::nullopt;
    if (type >= 0xc4 && type <= 0xc6) return take(big_endian(std::size_t{1} << (type - 0xc4)));
    mismatch("bytes or nil", type);
    return std::nullopt;
  }

  /// Passes over one value of any type.
  void skip(int depth_left = 16) {
    if (depth_left == 0) return fail("is nested too deep");
    const auto type = take_type();
    if (failed()) return;
    if ((type & 0xf0) == 0x80 || type == 0xde || type == 0xdf)
      return skip_values(2 * count_of(type, 0xde, 2), depth_left);
    if ((type & 0xf0) == 0x90 || type == 0xdc || type == 0xdd) return skip_values(count_of(type, 0xdc, 1), depth_left);
    if ((type & 0xe0) == 0xa0) return void(take(type & 0x1f));
    if (type >= 0xd9 && type <= 0xdb) return void(take(big_endian(std::size_t{1} << (type - 0xd9))));
    if (type >= 0xc4 && type <= 0xc6) return void(take(big_endian(std::size_t{1} << (type - 0xc4))));
    if (type >= 0xc7 && type <= 0xc9) return void(take(1 + big_endian(std::size_t{1} << (type - 0xc7))));  // ext
    if (type >= 0xcc && type <= 0xcf) return void(take(std::size_t{1} << (type - 0xcc)));
    if (type >= 0xd0 && type <= 0xd3) return void(take(std::size_t{1} << (type - 0xd0)));
    if (type >= 0xd4 && type <= 0xd8) return void(take(1 + (std::size_t{1} << (type - 0xd4))));  // fixext
    if (type == 0xca || type == 0xcb) return void(take(type == 0xca ? 4 : 8));
    if (type == 0xc1) break_off("holds the byte 0xc1, which msgpack never uses");
  }

 private:
  std::uint8_t take_type() {
    const auto byte = take(1);
    return byte.empty() ? 0xc1 : static_cast<std::uint8_t>(byte[0]);
  }

  std::string_view take(std::uint64_t n) {
    if (failed()) return {};
    if (n > rest_.size()) {
      break_off("ends too early");
      return {};
    }
    const auto out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }

  std::uint64_t big_endian(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }

  std::uint64_t signed_body(std::size_t bytes) {
    const auto value = big_endian(bytes);
    if ((value >> (8 * bytes - 1)) == 0) return value;
    fail("is negative");
    return 0;
  }

  std::size_t header(const char* what, std::uint8_t fix, std::uint8_t first, std::size_t bytes_each) {
    const auto type = take_type();
    if ((type & 0xf0) == fix || type == first || type == first + 1) return count_of(type, first, bytes_each);
    mismatch(what, type);
    return 0;
  }

  std::size_t count_of(std::uint8_t type, std::uint8_t first, std::size_t bytes_each) {
    const std::uint64_t count = type == first ? big_endian(2) : type == first + 1 ? big_endian(4) : type & 0x0f;
    if (count * bytes_each <= rest_.size()) return count;
    break_off("ends too early");
    return 0;
  }

  std::string_view sized(const char* what, std::uint8_t type, std::uint8_t first) {
    if ((type & 0xe0) == 0xa0) return take(type & 0x1f);
    if (type >= first && type <= first + 2) return take(big_endian(std::size_t{1} << (type - first)));
    mismatch(what, type);
    return {};
  }

  void skip_values(std::size_t count, int depth_left) {
    for (; count > 0 && !failed(); --count) skip(depth_left - 1);
  }

  void break_off(std::string why) {
    if (failed()) return;
    broken_ = true;
    fail(std::move(why));
  }

  void mismatch(const char* wanted, std::uint8_t type) {
    if (failed()) return;
    if (type == 0xc1) return break_off("holds the byte 0xc1, which msgpack never uses");
    fail(std::string("must be ") + wanted + ", got " + name_of_type(type));
  }

  static const char* name_of_type(std::uint8_t type) {
    if (type <= 0x7f || type >= 0xe0 || (type >= 0xcc && type <= 0xd3)) return "an integer";
    if ((type & 0xf0) == 0x80 || type == 0xde || type == 0xdf) return "a map";
    if ((type & 0xf0) == 0x90 || type == 0xdc || type == 0xdd) return "an array";
    if ((type & 0xe0) == 0xa0 || (type >= 0xd9 && type <= 0xdb)) return "text";
    if (type == 0xc0) return "nil";
    if (type == 0xc2 || type == 0xc3) return "a boolean";
    if (type >= 0xc4 && type <= 0xc6) return "bytes";
    if (type == 0xca || type == 0xcb) return "a float";
    return "an extension type";
  }

  std::string_view rest_;
  std::string problem_;
  bool broken_ = false;
};

}  // namespace wh::internal
