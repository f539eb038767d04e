#pragma once
#include <string_view>

#include "resources/document.hpp"

namespace wh::internal {

/// The cell of a column that no JSON path can express, by its name in resources/schemas/kinds/ (without the @).
/// Null when the name is not known.
document computed_cell(std::string_view name, const document& object, instant now);

bool is_computed_column(std::string_view name);

}  // namespace wh::internal
