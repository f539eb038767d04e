#pragma once
#include <string_view>

#include "resources/document.hpp"

namespace wh::internal {

/// True when a value obeys an OpenAPI `format`. Formats that are not known say nothing, as OpenAPI wants it.
bool obeys_format(const document& value, std::string_view format);

/// True for a resource.Quantity: `100m`, `1.5Gi`, `2e3`.
bool is_quantity(std::string_view text);

}  // namespace wh::internal
