#pragma once
#include <string>
#include <vector>

#include "resources/document.hpp"

namespace wh {

/// A rule in CEL that a CustomResourceDefinition carries. Rules are kept and shown, and not enforced.
struct crd_rule {
  std::string place;  ///< spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]
  std::string rule;   ///< as written
};

/// Every rule of a definition that validate_crd() found no fault with, in the order of the schema.
std::vector<crd_rule> rules_of_crd(const document& crd);

}  // namespace wh
