#pragma once
#include <string>

#include "resources/document.hpp"
#include "resources/internal/packed_schemas.hpp"

namespace wh::internal {

/// A packed text; its being whole is the packing tool's business.
document parse_packed(std::string_view json);
/// Null when there is none of that name.
const packed_text* find_packed(const std::vector<packed_text>& all, std::string_view name);

/// The reference's definition as clients may see it, with the texts that validation has no use for. `referring`: what
/// belongs to a package of Kubernetes is referred to by its name there, and builtin_definition() has it; otherwise
/// everything is written out in full.
document published_builtin(const document& reference, bool referring);

}  // namespace wh::internal
