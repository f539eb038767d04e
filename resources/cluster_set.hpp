#pragma once
#include <optional>
#include <string>

#include "resources/selector.hpp"

namespace wh {

/// The label of a ManagedCluster that names its one exclusive set.
inline constexpr const char* cluster_set_label = "cluster.open-cluster-management.io/clusterset";
/// The set of clusters that name no other, and the set of all.
inline constexpr const char* default_cluster_set = "default";
inline constexpr const char* global_cluster_set = "global";

/// Which clusters a ManagedClusterSet has.
struct cluster_set_selector {
  std::optional<label_selector> labels;  ///< none: no cluster at all
  bool matches(const label_map& cluster) const { return labels && labels->matches(cluster); }
  friend bool operator==(const cluster_set_selector&, const cluster_set_selector&) = default;
};

/// Reads spec.clusterSelector. The type ExclusiveClusterSetLabel, which is the default, takes the clusters whose label names
/// the set; LabelSelector takes what spec.clusterSelector.labelSelector matches: all if it is empty, none if it is absent.
/// The error names the member that is wrong.
result<cluster_set_selector> read_cluster_set_selector(const document& set);

}  // namespace wh
