#include "resources/internal/yaml_scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace wh::internal {
namespace {

constexpr std::string_view core_tag = "tag:yaml.org,2002:";

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<bool> as_bool(std::string_view text) {
  if (is_any_of(text, {"true", "True", "TRUE"})) return true;
  if (is_any_of(text, {"false", "False", "FALSE"})) return false;
  return std::nullopt;
}

bool is_null(std::string_view text) { return text.empty() || is_any_of(text, {"~", "null", "Null", "NULL"}); }

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return text;
}

/// The digits of an integer and their base; empty digits when the text is none.
struct integer_text {
  std::string_view digits;
  int base = 10;
};

bool all_in_base(std::string_view digits, int base) {
  return !digits.empty() && std::all_of(digits.begin(), digits.end(), [&](char c) {
    const int lower = c | 0x20;
    const int value = is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
    return value < base;
  });
}

integer_text split_integer(std::string_view text) {
  const auto digits = without_sign(text);
  if (digits.starts_with("0x") && all_in_base(digits.substr(2), 16)) return {digits.substr(2), 16};
  if (digits.starts_with("0o") && all_in_base(digits.substr(2), 8)) return {digits.substr(2), 8};
  // `defaultMode: 0644` is octal to every Kubernetes tool, whatever YAML 1.2 says.
  if (digits.size() > 1 && digits.front() == '0' && all_in_base(digits, 8)) return {digits, 8};
  if (all_in_base(digits, 10)) return {digits, 10};
  return {};
}

result<document> to_integer(std::string_view text, const integer_text& number) {
  std::uint64_t magnitude = 0;
  const auto* end = number.digits.data() + number.digits.size();
  const auto parsed = std::from_chars(number.digits.data(), end, magnitude, number.base);
  const bool negative = text.front() == '-';
  constexpr auto int64_min_magnitude = std::uint64_t{1} << 63;
  if (parsed.ec != std::errc() || (negative && magnitude > int64_min_magnitude)) {
    return fail(errc::malformed, "integer " + std::string(text) + " does not fit 64 bits; quote it if it is text");
  }
  if (!negative) return document(magnitude);
  return document(static_cast<std::int64_t>(0 - magnitude));
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
bool is_float(std::string_view text) {
  auto rest = without_sign(text);
  const auto eat_digits = [&rest] {
    const auto n = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin());
    rest.remove_prefix(n);
    return n > 0;
  };
  const bool whole = eat_digits();
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    if (!eat_digits() && !whole) return false;
  } else if (!whole) {
    return false;
  }
  if (rest.empty()) return true;
  if (rest.front() != 'e' && rest.front() != 'E') return false;
  rest = without_sign(rest.substr(1));
  return eat_digits() && rest.empty();
}

result<document> to_float(std::string_view text) {
  const auto digits = text.front() == '+' ? text.substr(1) : text;
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc() || !std::isfinite(value)) {
    return fail(errc::malformed, "number " + std::string(text) + " is out of range; quote it if it is text");
  }
  return document(value);
}

bool is_not_finite(std::string_view text) {
  return is_any_of(without_sign(text), {".inf", ".Inf", ".INF"}) || is_any_of(text, {".nan", ".NaN", ".NAN"});
}

}  // namespace

result<document> resolve_plain_scalar(std::string_view text) {
  if (is_null(text)) return document(nullptr);
  if (const auto value = as_bool(text)) return document(*value);
  if (const auto number = split_integer(text); !number.digits.empty()) return to_integer(text, number);
  if (is_float(text)) return to_float(text);
  if (is_not_finite(text))
    return fail(errc::malformed, std::string(text) + " has no JSON value; quote it if it is text");
  return document(std::string(text));
}

result<document> resolve_tagged_scalar(std::string_view tag, std::string_view text) {
  const auto refused = [&] { return fail(errc::malformed, "\"" + std::string(text) + "\" is no " + std::string(tag)); };
  if (!tag.starts_with(core_tag)) return fail(errc::malformed, "tag " + std::string(tag) + " is not supported");
  const auto type = tag.substr(core_tag.size());
  if (type == "str" || type == "binary" || type == "timestamp") return document(std::string(text));
  auto value = resolve_plain_scalar(text);
  if (!value) return value;
  if (type == "null" && value->is_null()) return value;
  if (type == "bool" && value->is_boolean()) return value;
  if (type == "int" && value->is_number_integer()) return value;
  if (type == "float" && value->is_number()) return document(value->get<double>());
  return refused();
}

}  // namespace wh::internal
