#include "base/encoding.hpp"

#include <algorithm>
#include <array>

namespace wh {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& v : values) v = -1;
  for (std::size_t i = 0; i < base64_digits.size(); ++i)
    values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::int8_t>(i);
  return values;
}

std::uint32_t octet(char c) { return static_cast<unsigned char>(c); }

error bad_base64(std::size_t at) {
  return fail(errc::malformed, "base64: unexpected character at position " + std::to_string(at));
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    out += hex_digits[octet(c) >> 4];
    out += hex_digits[octet(c) & 15];
  }
  return out;
}

result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(errc::malformed, "hex: an odd number of digits");
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0)
      return fail(errc::malformed, "hex: not a digit at position " + std::to_string(high < 0 ? i : i + 1));
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = octet(bytes[i]) << 16;
    if (n > 1) bits |= octet(bytes[i + 1]) << 8;
    if (n > 2) bits |= octet(bytes[i + 2]);
    out += base64_digits[bits >> 18];
    out += base64_digits[(bits >> 12) & 63];
    out += n > 1 ? base64_digits[(bits >> 6) & 63] : '=';
    out += n > 2 ? base64_digits[bits & 63] : '=';
  }
  return out;
}

result<std::string> from_base64(std::string_view text) {
  static constexpr auto values = make_base64_values();
  if (text.size() % 4 != 0) return fail(errc::malformed, "base64: length is not a multiple of 4");
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    std::size_t digits = 4;
    if (last && text[i + 3] == '=') digits = text[i + 2] == '=' ? 2 : 3;
    std::uint32_t bits = 0;
    for (std::size_t d = 0; d < 4; ++d) {
      const int v = d < digits ? values[octet(text[i + d])] : 0;
      if (v < 0) return bad_base64(i + d);
      bits = (bits << 6) | static_cast<std::uint32_t>(v);
    }
    // Bits that no byte takes must be zero, so that every byte string has exactly one spelling.
    if ((digits == 2 && (bits & 0xffff) != 0) || (digits == 3 && (bits & 0xff) != 0)) return bad_base64(i + digits - 1);
    out += static_cast<char>(bits >> 16);
    if (digits > 2) out += static_cast<char>((bits >> 8) & 255);
    if (digits > 3) out += static_cast<char>(bits & 255);
  }
  return out;
}

std::string to_base64url(std::string_view bytes) {
  auto out = to_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (auto& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

result<std::string> from_base64url(std::string_view text) {
  std::string plain(text);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    auto& c = plain[i];
    if (c == '+' || c == '/' || c == '=') return bad_base64(i);
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  return from_base64(plain);
}

void append_be64(std::string& out, std::uint64_t v) {
  char bytes[8];
  for (int i = 7; i >= 0; --i, v >>= 8) bytes[i] = static_cast<char>(v & 255);
  out.append(bytes, sizeof bytes);
}

std::uint64_t read_be64(const char* p) {
  std::uint64_t v = 0;
  for (int i = 0; i < 8; ++i) v = (v << 8) | static_cast<unsigned char>(p[i]);
  return v;
}

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t h = seed;
  for (char c : bytes) {
    h ^= static_cast<unsigned char>(c);
    h *= 1099511628211ULL;
  }
  return h;
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::uint32_t lead = octet(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + n > text.size()) return false;
    std::uint32_t point = lead & (0x7fU >> n);
    for (std::size_t k = 1; k < n; ++k) {
      const std::uint32_t next = octet(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = (point << 6) | (next & 0x3f);
    }
    const bool overlong = (n == 3 && point < 0x800) || (n == 4 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += n;
  }
  return true;
}

}  // namespace wh
