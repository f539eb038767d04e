#include "actors/owners.hpp"

#include "actors/names.hpp"

namespace wh {

std::optional<address> hub_owner_of(const object_key& key) {
  if (key.resource == names::managed_clusters) return address{actor_kind::managed_cluster, key.name};
  if (key.resource == names::manifest_works) return address{actor_kind::managed_cluster, key.ns};
  if (key.resource == names::leases && key.name == names::cluster_lease)
    return address{actor_kind::managed_cluster, key.ns};
  return std::nullopt;
}

}  // namespace wh
