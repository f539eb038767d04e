#pragma once
#include <string>

#include "actors/actor.hpp"
#include "resources/document.hpp"

/// What an accepted cluster's agent may do on the hub (security-model 3.1 to 3.3), as objects in the cluster's batch.
namespace wh {

/// Namespace, roles and bindings of an accepted cluster; those that exist unchanged are left alone.
void grant_cluster_access(const std::string& cluster, const context& ctx, outbox& out);

/// After a denial: reading its own ManagedCluster, and, while works remain, the right to finish their removal.
void reduce_cluster_access(const std::string& cluster, bool without_works, const context& ctx, outbox& out);

/// While the cluster's namespace is being deleted: lets the binding go that waits for the works, once there are none.
void release_cluster_access(const std::string& cluster, bool without_works, const context& ctx, outbox& out);

/// When the cluster goes: roles and bindings. The namespace stays, as in OCM.
void remove_cluster_access(const std::string& cluster, const context& ctx, outbox& out);

/// The two ClusterRoles that every cluster's bindings refer to; the hub keeps them from its start.
std::vector<document> shared_cluster_roles();

}  // namespace wh
