#include "resources/internal/formats.hpp"

#include <algorithm>
#include <limits>

#include "base/encoding.hpp"
#include "base/time.hpp"

namespace wh::internal {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    const auto n = count_digits(text);
    if (n == 0 || n > 3 || (n > 1 && text[0] == '0')) return false;
    int value = 0;
    for (char c : text.substr(0, n)) value = value * 10 + (c - '0');
    if (value > 255) return false;
    text.remove_prefix(n);
    if (part == 3) return text.empty();
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return false;
}

/// Groups between colons; `::` may stand once for the missing ones, an IPv4 tail counts as two.
bool is_ipv6(std::string_view text) {
  int groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  } else if (text.starts_with(':')) {
    return false;
  }
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      if (!is_ipv4(part)) return false;
      groups += 2;
      break;
    }
    if (part.empty() || part.size() > 4 || !std::all_of(part.begin(), part.end(), is_hex)) return false;
    ++groups;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
    if (text.front() == ':') {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
    }
  }
  return gap ? groups < 8 : groups == 8;
}

bool is_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto address = text.substr(0, slash), bits = text.substr(slash + 1);
  if (bits.empty() || bits.size() > 3 || count_digits(bits) != bits.size()) return false;
  const int n = std::stoi(std::string(bits));
  return (is_ipv4(address) && n <= 32) || (is_ipv6(address) && n <= 128);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_date(std::string_view text) { return parse_rfc3339(std::string(text) + "T00:00:00Z").ok(); }

/// Go's form, which writes fractions and microseconds too: `1h30m`, `1.5s`, `0`.
bool is_duration(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return true;
  bool any = false;
  while (!text.empty()) {
    const auto whole = count_digits(text);
    text.remove_prefix(whole);
    std::size_t fraction = 0;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = count_digits(text);
      text.remove_prefix(fraction);
    }
    if (whole + fraction == 0) return false;
    bool unit_found = false;
    for (std::string_view unit : {"ns", "us", "µs", "ms", "s", "m", "h"}) {
      if (!text.starts_with(unit) || (unit == "m" && text.starts_with("ms"))) continue;
      text.remove_prefix(unit.size());
      unit_found = true;
      break;
    }
    if (!unit_found) return false;
    any = true;
  }
  return any;
}

bool is_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return text.starts_with('/');
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c != 0x7f; });
}

bool is_email(std::string_view text) {
  const auto at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() && text.find(' ') == std::string_view::npos;
}

bool is_hostname(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_hex(c) || c == '-' || c == '.' || (c | 0x20) >= 'a'; });
}

bool fits(const document& value, std::int64_t low, std::int64_t high) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high);
  if (value.is_number_integer()) return value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  return true;
}

bool text_obeys(std::string_view text, std::string_view format) {
  if (format == "date-time") return parse_rfc3339(text).ok();
  if (format == "date") return is_date(text);
  if (format == "duration") return is_duration(text);
  if (format == "byte") return from_base64(text).ok();
  if (format == "quantity") return is_quantity(text);
  if (format == "ipv4") return is_ipv4(text);
  if (format == "ipv6") return is_ipv6(text);
  if (format == "cidr") return is_cidr(text);
  if (format == "uuid" || format == "uuid3" || format == "uuid4" || format == "uuid5") return is_uuid(text);
  if (format == "uri") return is_uri(text);
  if (format == "email") return is_email(text);
  if (format == "hostname") return is_hostname(text);
  return true;
}

}  // namespace

bool is_quantity(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto whole = count_digits(text);
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = count_digits(text);
    text.remove_prefix(fraction);
  }
  if (whole + fraction == 0) return false;
  for (std::string_view unit : {"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}) {
    if (text == unit) return true;
  }
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && count_digits(text) == text.size();
}

bool obeys_format(const document& value, std::string_view format) {
  using limits32 = std::numeric_limits<std::int32_t>;
  using limits64 = std::numeric_limits<std::int64_t>;
  if (value.is_number()) {
    if (format == "int32") return fits(value, limits32::min(), limits32::max());
    if (format == "int64") return fits(value, limits64::min(), limits64::max());
    return true;
  }
  return !value.is_string() || text_obeys(value.get_ref<const std::string&>(), format);
}

}  // namespace wh::internal
