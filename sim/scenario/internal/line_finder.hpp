#pragma once
#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "resources/document.hpp"

namespace wh::internal {

/// Which line a value of a document begins at: its key's line, or its dash's in a list.
using line_map = std::unordered_map<const document*, std::size_t>;

/// Lines for the values of a document that parse_yaml() made of this text. A document keeps no positions, so this walks text
/// and document side by side. It understands the YAML that people write by hand; what it does not (aliased values, say) has no
/// line, and if text and document seem to disagree, nothing has: a wrong line would be worse than none.
line_map find_lines(std::string_view text, const document& doc);

}  // namespace wh::internal
