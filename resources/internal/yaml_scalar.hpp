#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "resources/document.hpp"

namespace wh::internal {

/// What a plain (unquoted, untagged) YAML scalar means. Errors say why it has no JSON value.
result<document> resolve_plain_scalar(std::string_view text);

/// The value of a scalar with a core tag such as `tag:yaml.org,2002:int`.
result<document> resolve_tagged_scalar(std::string_view tag, std::string_view text);

}  // namespace wh::internal
