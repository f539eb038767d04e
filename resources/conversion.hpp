#pragma once
#include "resources/kinds.hpp"

namespace wh {

/// How a version of a kind differs in shape from the one that is stored. Both functions change an object in place, leave
/// apiVersion and metadata.managedFields alone (every entry there says which version it is in), take any document
/// without complaint, and undo each other: what a shape has no field for is kept in an annotation.
struct kind_conversion {
  void (*from_stored)(document& object);
  void (*to_stored)(document& object);
};

/// The conversion of a built-in kind's version; null if it differs from the stored one in nothing but its apiVersion.
const kind_conversion* conversion_of(std::string_view group, std::string_view version, std::string_view kind);

/// True if objects have another shape in one version than in the other.
bool differs_in_shape(const kind_info& a, const kind_info& b);

/// Brings an object from one version of its kind to another, apiVersion included.
void convert(document& object, const kind_info& from, const kind_info& to);

}  // namespace wh
