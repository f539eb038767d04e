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
inline constexpr const char* cluster_addons = "managedclusteraddons.addon.open-cluster-management.io";
inline constexpr const char* events = "events";

// the heartbeat
inline constexpr const char* cluster_lease = "managed-cluster-lease";

// labels, annotations, finalizers
inline constexpr const char* cluster_name_label = "open-cluster-management.io/cluster-name";
inline constexpr const char* cluster_finalizer = "cluster.open-cluster-management.io/api-resource-cleanup";
inline constexpr const char* resources_finalizer = "cluster.open-cluster-management.io/resource-cleanup";
inline constexpr const char* work_finalizer = "cluster.open-cluster-management.io/manifest-work-cleanup";
inline constexpr const char* applied_work_finalizer =
    "cluster.open-cluster-management.io/applied-manifest-work-cleanup";
/// `false` on the set default or global: its selector is its administrator's business.
inline constexpr const char* autoupdate_annotation = "cluster.open-cluster-management.io/autoupdate";
inline constexpr const char* cleanup_priority = "open-cluster-management.io/cleanup-priority";
inline constexpr const char* skip_clock_check = "registration.open-cluster-management.io/skip-clock-sync-check";
inline constexpr const char* auto_accepted_on = "open-cluster-management.io/automatically-accepted-on";
/// SHA-256 of the public key that owns the cluster's name; a join with another key is refused. `revoked:<digest>`: that
/// key is refused, and the next one to join takes the name.
inline constexpr const char* key_annotation = "registration.wheelhouse.io/public-key-sha256";
inline constexpr const char* revoked_prefix = "revoked:";
/// notBefore of the newest certificate that the cluster has shown; older ones of other keys are refused.
inline constexpr const char* certificate_since = "registration.wheelhouse.io/certificate-since";
/// And its notAfter: from then on another key may ask for the name.
inline constexpr const char* certificate_until = "registration.wheelhouse.io/certificate-until";
/// `force`: the cluster's deletion does not wait for its spoke.
inline constexpr const char* detach_annotation = "registration.wheelhouse.io/detach";
/// When the cluster's own administrator took it away.
inline constexpr const char* left_at = "registration.wheelhouse.io/left-at";
/// On a ManifestWork of a hub that was restored: the newer generation that the spoke holds from before.
inline constexpr const char* behind_annotation = "work.wheelhouse.io/newer-generation-on-cluster";

// identities
inline constexpr const char* client_signer = "kubernetes.io/kube-apiserver-client";
inline constexpr const char* user_prefix = "system:open-cluster-management:";
inline constexpr const char* auto_approval_reason = "AutoApprovedByHubCSRApprovingController";
inline constexpr const char* clusters_group = "system:open-cluster-management:managed-clusters";

// the spoke's own store
inline constexpr const char* identities = "identities.wheelhouse.io";        ///< one object: `hub`
inline constexpr const char* prescriptions = "prescriptions.wheelhouse.io";  ///< one per work: what the hub wants
inline constexpr const char* work_states = "workstates.wheelhouse.io";       ///< one per work: what became of it
inline constexpr const char* managed_namespaces = "managednamespaces.wheelhouse.io";  ///< one object: `hub`

// conditions
inline constexpr const char* hub_accepted = "HubAcceptedManagedCluster";
inline constexpr const char* joined = "ManagedClusterJoined";
inline constexpr const char* available = "ManagedClusterConditionAvailable";
inline constexpr const char* cluster_set_empty = "ClusterSetEmpty";
inline constexpr const char* bound = "Bound";
inline constexpr const char* namespace_available = "NamespaceAvailable";
inline constexpr const char* clock_synced = "ManagedClusterConditionClockSynced";
inline constexpr const char* certificate_rotated = "ClusterCertificateRotated";
inline constexpr const char* deleting = "Deleting";
inline constexpr const char* link_connected = "LinkConnected";          ///< ours
inline constexpr const char* duplicate_identity = "DuplicateIdentity";  ///< ours
inline constexpr const char* hub_behind = "HubBehind";                  ///< ours

// taints, effect NoSelect, by ManagedClusterConditionAvailable (spec 7.1)
inline constexpr const char* taint_unavailable = "cluster.open-cluster-management.io/unavailable";
inline constexpr const char* taint_unreachable = "cluster.open-cluster-management.io/unreachable";

/// system:open-cluster-management:<cluster>, the group of everything that acts for the cluster.
inline std::string cluster_group(std::string_view cluster) { return std::string(user_prefix) + std::string(cluster); }
/// system:open-cluster-management:<cluster>:<agent>, the user name of its agent.
inline std::string cluster_user(std::string_view cluster, std::string_view agent) {
  return cluster_group(cluster) + ":" + std::string(agent);
}

}  // namespace wh::names
