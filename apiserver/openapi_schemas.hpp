#pragma once
#include <string>

#include "resources/kinds.hpp"

namespace wh {

/// `io.open-cluster-management.work.v1.ManifestWork`: the group's labels backwards, as Kubernetes names definitions;
/// its own kinds are named by their packages, `io.k8s.api.core.v1.Pod`.
std::string definition_name(const kind_info& kind);
document schema_reference(const std::string& name);
document gvk_of(const kind_info& k, const std::string& kind);

/// Adds the kind, its list, and its Scale where it has one, as OpenAPI v3 names and describes them.
void add_kind_schemas(document& schemas, const kind_info& kind);
/// Adds a kind that is asked with and never listed.
void add_body_schema(document& schemas, const kind_info& kind);
/// Adds what every kind refers to: ObjectMeta, ListMeta and their parts.
void add_meta_schemas(document& schemas);

}  // namespace wh
