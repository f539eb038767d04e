#pragma once
#include <cstddef>
#include <string_view>

namespace wh::internal {

/// Reads one code point at `at` and moves past it; bytes that are no UTF-8 count as one U+FFFD each.
inline char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(at);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : (lead & 0xf0) == 0xe0       ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || at + length > text.size()) {
    ++at;
    return U'\uFFFD';
  }
  if (length == 1) return text[at++] & 0x7f;
  char32_t out = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) {
      ++at;
      return U'\uFFFD';
    }
    out = (out << 6) | (byte(at + i) & 0x3fu);
  }
  at += length;
  return out;
}

/// Characters, not bytes: what minLength and maxLength count.
inline std::size_t count_code_points(std::string_view text) {
  std::size_t n = 0;
  for (std::size_t at = 0; at < text.size(); ++n) next_code_point(text, at);
  return n;
}

}  // namespace wh::internal
