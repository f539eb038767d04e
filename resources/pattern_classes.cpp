#include "resources/internal/pattern_classes.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace wh::internal {
namespace {

constexpr char32_t last_code_point = 0x10ffff;

}  // namespace

void add_other_case(character_ranges& set) {
  const auto n = set.size();
  for (std::size_t i = 0; i < n; ++i) {
    const auto overlap = [&](char32_t low, char32_t high, std::int32_t shift) {
      const auto from = std::max(low, set[i].low), to = std::min(high, set[i].high);
      if (from <= to) {
        set.push_back({static_cast<char32_t>(static_cast<std::int32_t>(from) + shift),
                       static_cast<char32_t>(static_cast<std::int32_t>(to) + shift)});
      }
    };
    overlap(U'a', U'z', -32);
    overlap(U'A', U'Z', 32);
  }
}

character_ranges negated(character_ranges set) {
  std::sort(set.begin(), set.end(), [](const auto& a, const auto& b) { return a.low < b.low; });
  character_ranges out;
  char32_t from = 0;
  for (const auto& r : set) {
    if (r.low > from) out.push_back({from, r.low - 1});
    from = std::max<char32_t>(from, r.high + 1);
  }
  if (from <= last_code_point) out.push_back({from, last_code_point});
  return out;
}

std::optional<character_ranges> named_class(char32_t c) {
  switch (c) {
    case U'd': return character_ranges{{U'0', U'9'}};
    case U'w': return character_ranges{{U'0', U'9'}, {U'a', U'z'}, {U'A', U'Z'}, {U'_', U'_'}};
    case U's': return character_ranges{{U'\t', U'\n'}, {U'\f', U'\r'}, {U' ', U' '}};
    case U'D': return negated(*named_class(U'd'));
    case U'W': return negated(*named_class(U'w'));
    case U'S': return negated(*named_class(U's'));
    default: return std::nullopt;
  }
}

std::span<const posix_class> posix_classes() {
  static const posix_class classes[] = {
      {U"[:alpha:]", {{U'a', U'z'}, {U'A', U'Z'}}},
      {U"[:digit:]", {{U'0', U'9'}}},
      {U"[:alnum:]", {{U'0', U'9'}, {U'a', U'z'}, {U'A', U'Z'}}},
      {U"[:lower:]", {{U'a', U'z'}}},
      {U"[:upper:]", {{U'A', U'Z'}}},
      {U"[:space:]", {{U'\t', U'\r'}, {U' ', U' '}}},
      {U"[:punct:]", {{U'!', U'/'}, {U':', U'@'}, {U'[', U'`'}, {U'{', U'~'}}},
      {U"[:xdigit:]", {{U'0', U'9'}, {U'a', U'f'}, {U'A', U'F'}}},
      {U"[:word:]", {{U'0', U'9'}, {U'a', U'z'}, {U'A', U'Z'}, {U'_', U'_'}}},
  };
  return classes;
}

}  // namespace wh::internal
