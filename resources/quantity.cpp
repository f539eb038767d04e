#include "resources/quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace wh {
namespace {

struct suffix {
  std::string_view text;
  long double factor;
};
constexpr long double kibi = 1024.0L;
constexpr std::array suffixes = {
    suffix{"Ki", kibi},
    suffix{"Mi", kibi* kibi},
    suffix{"Gi", kibi* kibi* kibi},
    suffix{"Ti", kibi* kibi* kibi* kibi},
    suffix{"Pi", kibi* kibi* kibi* kibi* kibi},
    suffix{"m", 1e-3L},
    suffix{"k", 1e3L},
    suffix{"M", 1e6L},
    suffix{"G", 1e9L},
    suffix{"T", 1e12L},
    suffix{"P", 1e15L},
};

bool is_number_char(char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+'; }

}  // namespace

result<std::int64_t> parse_quantity_milli(std::string_view text) {
  const auto bad = [&] { return fail(errc::invalid, fmt::format("\"{}\" is not a quantity", text.substr(0, 40))); };
  std::size_t digits = 0;
  while (digits < text.size() && is_number_char(text[digits])) ++digits;
  // An exponent belongs to the number; `E` alone is the suffix exa, which no cluster has.
  if (digits + 1 < text.size() && (text[digits] == 'e' || text[digits] == 'E') && is_number_char(text[digits + 1])) {
    ++digits;
    while (digits < text.size() && is_number_char(text[digits])) ++digits;
    if (digits != text.size()) return bad();  // an exponent is the suffix
  }
  if (digits == 0 || digits > 40) return bad();
  const std::string number(text.substr(0, digits));
  char* end = nullptr;
  long double value = std::strtold(number.c_str(), &end);
  if (end != number.c_str() + number.size()) return bad();
  const auto tail = text.substr(digits);
  if (!tail.empty()) {
    const suffix* found = nullptr;
    for (const auto& s : suffixes)
      if (s.text == tail) found = &s;
    if (!found) return bad();
    value *= found->factor;
  }
  value = std::ceil(value * 1000.0L);
  if (!(std::fabs(value) < 9.2e18L)) return bad();
  return static_cast<std::int64_t>(value);
}

std::string format_quantity_milli(std::int64_t milli) {
  if (milli % 1000 != 0) return fmt::format("{}m", milli);
  const std::int64_t whole = milli / 1000;
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> binary = {{{std::int64_t{1} << 40, "Ti"},
                                                                           {std::int64_t{1} << 30, "Gi"},
                                                                           {std::int64_t{1} << 20, "Mi"},
                                                                           {std::int64_t{1} << 10, "Ki"}}};
  for (const auto& [unit, name] : binary)
    if (whole != 0 && whole % unit == 0) return fmt::format("{}{}", whole / unit, name);
  return fmt::format("{}", whole);
}

void add_quantities(std::map<std::string, std::string>& sums, const document* quantities) {
  if (!quantities || !quantities->is_object()) return;
  for (const auto& [name, value] : quantities->items()) {
    if (!value.is_string()) continue;
    auto more = parse_quantity_milli(value.get_ref<const std::string&>());
    if (!more) continue;
    auto& sum = sums[name];
    auto before = sum.empty() ? result<std::int64_t>(0) : parse_quantity_milli(sum);
    std::int64_t total = 0;
    if (!before || __builtin_add_overflow(*before, *more, &total)) continue;
    sum = format_quantity_milli(total);
  }
}

}  // namespace wh
