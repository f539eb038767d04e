#pragma once
#include <string>
#include <string_view>

/// OCM's well-known strings, in one place. Source: open-cluster-management.io/api and ocm/pkg/common.
namespace wh::names {

// resources as the store names them
inline constexpr const char* namespaces = "namespaces";
inline constexpr const char* secrets = "secrets";
inline constexpr const char* service_accounts = "serviceaccounts";
inline constexpr const char* leases = "leases.coordination.k8s.io";
inline constexpr const char* csrs = "certificatesigningrequests.certificates.k8s.io";
inline constexpr const char* cluster_roles = "clusterroles.rbac.authorization.k8s.io";
inline constexpr const char* cluster_role_bindings = "clusterrolebindings.rbac.authorization.k8s.io";
inline constexpr const char* role_bindings = "rolebindings.rbac.authorization.k8s.io";
inline constexpr const char* managed_clusters = "managedclusters.cluster.open-cluster-management.io";
inline constexpr const char* cluster_sets = "managedclustersets.cluster.open-cluster-management.io";
inline constexpr const char* cluster_set_bindings = "managedclustersetbindings.cluster.open-cluster-management.io";
inline constexpr const char* manifest_works = "manifestworks.work.open-cluster-management.io";

// the heartbeat
inline constexpr const char* cluster_lease = "managed-cluster-lease";

// labels, annotations, finalizers
inline constexpr const char* cluster_name_label = "open-cluster-management.io/cluster-name";
inline constexpr const char* cluster_finalizer = "cluster.open-cluster-management.io/api-resource-cleanup";
inline constexpr const char* work_finalizer = "cluster.open-cluster-management.io/manifest-work-cleanup";
inline constexpr const char* applied_work_finalizer =
    "cluster.open-cluster-management.io/applied-manifest-work-cleanup";
/// `false` on the set default or global: its selector is its administrator's business.
inline constexpr const char* autoupdate_annotation = "cluster.open-cluster-management.io/autoupdate";
/// SHA-256 of the public key that owns the cluster's name; a join with another key is refused.
inline constexpr const char* key_annotation = "registration.wheelhouse.io/public-key-sha256";

// identities
inline constexpr const char* client_signer = "kubernetes.io/kube-apiserver-client";
inline constexpr const char* user_prefix = "system:open-cluster-management:";
inline constexpr const char* clusters_group = "system:open-cluster-management:managed-clusters";

// the spoke's own store
inline constexpr const char* identities = "identities.wheelhouse.io";        ///< one object: `hub`
inline constexpr const char* prescriptions = "prescriptions.wheelhouse.io";  ///< one per work: what the hub wants
inline constexpr const char* work_states = "workstates.wheelhouse.io";       ///< one per work: what became of it

// conditions
inline constexpr const char* hub_accepted = "HubAcceptedManagedCluster";
inline constexpr const char* joined = "ManagedClusterJoined";
inline constexpr const char* available = "ManagedClusterConditionAvailable";
inline constexpr const char* cluster_set_empty = "ClusterSetEmpty";
inline constexpr const char* bound = "Bound";
inline constexpr const char* namespace_available = "NamespaceAvailable";

/// system:open-cluster-management:<cluster>, the group of everything that acts for the cluster.
inline std::string cluster_group(std::string_view cluster) { return std::string(user_prefix) + std::string(cluster); }
/// system:open-cluster-management:<cluster>:<agent>, the user name of its agent.
inline std::string cluster_user(std::string_view cluster, std::string_view agent) {
  return cluster_group(cluster) + ":" + std::string(agent);
}

}  // namespace wh::names
