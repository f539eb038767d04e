#pragma once
#include <string>
#include <string_view>

#include "resources/document.hpp"

namespace wh::internal {

/// Writes `text` as the description of a place of a definition: `.` is the definition itself, `rules.verbs` a member
/// of what its list (or map) `rules` holds. False when there is no such place.
bool describe(document& definition, std::string_view path, const std::string& text);

}  // namespace wh::internal
