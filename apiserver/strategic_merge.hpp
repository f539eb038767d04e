#pragma once
#include "resources/schema.hpp"
#include "resources/schema_node.hpp"

namespace wh {

/// Kubernetes' strategic merge patch: objects merge by member, lists by the key that the schema names, other lists are
/// replaced. Directives: `$patch` (replace, delete, merge), `$retainKeys`, `$deleteFromPrimitiveList/<list>`,
/// `$setElementOrder/<list>`. Where the schema says nothing it is a JSON merge patch.
result<document> apply_strategic_merge(const document& target, const document& patch, const schema& structure);

}  // namespace wh
