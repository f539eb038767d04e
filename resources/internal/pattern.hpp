#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "resources/internal/pattern_classes.hpp"

namespace wh::internal {

/// What \w and \b take for a letter.
constexpr bool is_word_character(char32_t c) {
  return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || c == U'_';
}

/// A regular expression as CRDs use them (Go's syntax, which is RE2's), searched in time linear in the text: a set of
/// states is advanced character by character, nothing backtracks. std::regex speaks another dialect and can be sent
/// into exponential time or off the stack by whoever writes the value.
class pattern {
 public:
  /// Errors say what in the expression is wrong or not supported (back-references and look-around are not in Go either).
  static result<pattern> compile(std::string_view expression);

  /// True when the expression matches somewhere in the text.
  bool search(std::string_view text) const;

  /// Steps that it is made of, repeats unfolded: what it costs to keep and, for each character, to search.
  std::size_t size() const { return program_.size(); }

 private:
  friend class pattern_compiler;

  enum class op : std::uint8_t {
    match,
    ranges,
    split,
    jump,
    text_start,
    text_end,
    line_start,
    line_end,
    word,
    not_word
  };
  struct instruction {
    op code = op::match;
    std::uint32_t next = 0;   ///< where to go on
    std::uint32_t other = 0;  ///< the second way of a split; the index of a range set
  };

  class states;
  bool accepts(std::uint32_t set, char32_t c) const;

  std::vector<instruction> program_;
  std::vector<character_ranges> sets_;
};

}  // namespace wh::internal
