#pragma once
#include <string_view>

#include "base/result.hpp"

namespace wh {

/// OCM's feature gates of the hub, as far as this hub has them.
struct feature_gates {
  bool default_cluster_set = true;  ///< DefaultClusterSet: sets default and global, and the label at creation
  bool managed_cluster_auto_approval = false;  ///< ManagedClusterAutoApproval
  friend bool operator==(const feature_gates&, const feature_gates&) = default;
};

/// `NAME=true|false,...` as Kubernetes' flag --feature-gates; of a name that comes twice the last counts. Errors
/// (errc::invalid) name the gate: unknown ones, and those that cannot have the asked value in this release.
result<feature_gates> parse_feature_gates(std::string_view text);

}  // namespace wh
