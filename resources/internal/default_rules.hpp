#pragma once
#include <string_view>

#include "resources/document.hpp"

namespace wh::internal {

/// Fills in a default that depends on sibling fields, which `default` in a schema cannot say. Runs on the object that
/// the rule stands at, after its members got theirs. An unknown name is a bug in a compiled-in schema and aborts.
void apply_default_rule(std::string_view rule, document& object);

}  // namespace wh::internal
