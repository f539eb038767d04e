#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// Sets of characters that regular expressions name.
namespace wh::internal {

struct character_range {
  char32_t low, high;
};
using character_ranges = std::vector<character_range>;

/// Everything that the set leaves out.
character_ranges negated(character_ranges set);
/// Adds the other case of the ASCII letters in the set.
void add_other_case(character_ranges& set);
/// `\d \w \s` and their opposites, by their letter.
std::optional<character_ranges> named_class(char32_t letter);

struct posix_class {
  std::u32string_view name;  ///< [:alpha:]
  character_ranges members;
};
std::span<const posix_class> posix_classes();

}  // namespace wh::internal
