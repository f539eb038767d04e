#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace wh::internal {

/// Where people look: lines and columns count from 1, columns in bytes.
struct text_position {
  std::size_t line = 1;
  std::size_t column = 1;
};

inline text_position position_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line_start = before.rfind('\n');
  return {.line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          .column = line_start == std::string_view::npos ? before.size() + 1 : before.size() - line_start};
}

}  // namespace wh::internal
