#pragma once
#include <string>
#include <vector>

#include "resources/schema.hpp"

namespace wh::internal {

/// What keeps a CRD's openAPIV3Schema from being structural, so that pruning and defaulting would have no clear meaning.
std::vector<field_error> check_structural(const document& openapi, const std::string& path);

}  // namespace wh::internal
