#pragma once
#include <map>
#include <string>

#include "resources/document.hpp"

namespace wh {

/// What column_texts looks into; all as packed JSON by name.
struct described_definitions {
  const std::map<std::string, std::string>& definitions;
  const std::map<std::string, std::string>& descriptions;  ///< by definition: paths to texts
};

/// Gives the kind's columns descriptions where they have none of their own: that of the field where the path ends, or
/// for a computed column (`@name`) that in `computed`. A path that chooses among items (`[?…]`) gets none, for the
/// field does not tell what was chosen. Returns the first computed column without a text; empty when all have one.
std::string describe_columns(document& kind, const described_definitions& all, const document& computed);

}  // namespace wh
