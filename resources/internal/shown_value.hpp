#pragma once
#include <string>

#include "resources/document.hpp"

namespace wh::internal {

/// A value as complaints show it: its JSON, cut where it gets long; a complaint must not repeat a megabyte.
std::string shown_value(const document& value);

}  // namespace wh::internal
