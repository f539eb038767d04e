#pragma once
#include <string_view>
#include <vector>

namespace wh::internal {

/// A piece of resources/schemas/ as compact JSON.
struct packed_text {
  std::string_view name;
  std::string_view json;
};

/// Sorted by name.
const std::vector<packed_text>& packed_definitions();
/// Definitions that belong to a package of Kubernetes, and as `json` their whole names: Container,
/// io.k8s.api.core.v1.Container. Sorted by definition.
const std::vector<packed_text>& packed_names();
/// Named `group/version/Kind`, sorted.
const std::vector<packed_text>& packed_kinds();
/// What definitions and their fields mean, by definition: paths (descriptions.hpp) to texts. Sorted by name.
const std::vector<packed_text>& packed_descriptions();

}  // namespace wh::internal
