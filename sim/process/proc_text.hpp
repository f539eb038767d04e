#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

/// Reading the kernel's text files: `Name:<blanks>value`, one a line.
namespace wh {

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Takes the next line off `text`, without its end; nothing when all are taken.
inline std::optional<std::string_view> next_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// What stands behind `name:` in the first line that begins so.
inline std::optional<std::string_view> line_value(std::string_view text, std::string_view name) {
  while (const auto line = next_line(text)) {
    const auto colon = line->find(':');
    if (colon != std::string_view::npos && trimmed(line->substr(0, colon)) == name)
      return trimmed(line->substr(colon + 1));
  }
  return std::nullopt;
}

/// The whole of `text` as a number.
inline std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// `name: 123`, or `name: 123 kB` as bytes.
inline result<std::uint64_t> line_number(std::string_view text, std::string_view name) {
  const auto value = line_value(text, name);
  if (!value) return fail(errc::corrupt, "no line " + std::string(name));
  auto digits = *value;
  std::uint64_t unit = 1;
  if (digits.ends_with(" kB")) {
    digits.remove_suffix(3);
    unit = 1024;
  }
  const auto n = whole_number(trimmed(digits));
  if (!n || *n > UINT64_MAX / unit)
    return fail(errc::corrupt, std::string(name) + " is \"" + std::string(*value) + "\", which is no number");
  return *n * unit;
}

/// A file of /proc or /sys: they tell no size, so it is read to its end. errc::not_found when there is none.
result<std::string> read_kernel_file(const std::string& path);

}  // namespace wh
