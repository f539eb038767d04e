#pragma once
#include <functional>
#include <string>

#include "resources/document.hpp"

namespace wh::internal {

/// Where schemas that clients read find what they refer to.
struct schema_sources {
  /// The text of a definition, or null when there is none of that name.
  std::function<const document*(const std::string& name)> definition;
  /// The name under which clients find a definition: it is referred to by that. Empty, or a function that is none: it
  /// is written out in full wherever it is used.
  std::function<std::string(const std::string& name)> public_name;
};

/// The schema as clients read it, our own extensions left out. A reference at its root is written out in any case.
document published_schema(const document& source, const schema_sources& from);

}  // namespace wh::internal
