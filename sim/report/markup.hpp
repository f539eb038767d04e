#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wh::sim_report {

/// HTML or SVG that may go into a page. Only text() and element() make it from what others wrote, and both escape.
struct markup {
  std::string code = {};
  markup& operator+=(const markup& more) {
    code += more.code;
    return *this;
  }
};

inline markup operator+(markup left, const markup& right) { return left += right; }

using attributes = std::vector<std::pair<std::string_view, std::string>>;

/// Characters as they shall be seen; controls and broken UTF-8 become question marks.
markup text(std::string_view content);

/// One element with both its tags, so that the page is well-formed as XML too.
markup element(std::string_view name, const attributes& with, const markup& inside = {});
inline markup element(std::string_view name, const markup& inside) { return element(name, {}, inside); }
inline markup element(std::string_view name, std::string_view content) { return element(name, {}, text(content)); }

}  // namespace wh::sim_report
