#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "resources/cluster_set.hpp"

namespace wh {

/// One on a hub: which cluster is in which ManagedClusterSet. It keeps the sets default and global, says of every set
/// whether it is empty and of every binding whether its set is there, and tells managed clusters which namespaces their
/// sets want on them.
///
/// Only labels and names live here, so that the change of a cluster costs a look at each set, and the change of a set a
/// look at each cluster, with no reading from the store. What must be written is gathered for `settle_after` first: a fleet
/// that joins changes the same few sets thousands of times.
struct cluster_sets {
  /// Gate DefaultClusterSet: the sets default and global are made, and repaired when somebody changes their selector.
  bool keeps_default_sets = true;

  struct cluster {
    label_map labels;
    bool deleting = false;
    std::set<std::string> sets;             ///< that it is in
    std::vector<managed_namespace> told{};  ///< what its actor was told last
  };
  struct cluster_set {
    cluster_set_selector selector;
    std::vector<std::string> namespaces;  ///< wanted on its clusters, sorted
    bool deleting = false;
    std::size_t members = 0;
  };
  std::map<std::string, cluster> clusters;
  std::map<std::string, cluster_set> sets;
  std::map<std::string, std::set<std::string>> bindings;  ///< set to the namespaces that bind it

  std::set<std::string> due_clusters;                          ///< their namespaces may have changed
  std::set<std::string> due_sets;                              ///< their condition may have changed
  std::set<std::pair<std::string, std::string>> due_bindings;  ///< namespace and name, likewise
  bool due_keep = false;                                       ///< default or global has changed
  bool settling = false;                                       ///< the timer runs
};

/// OCM looks at the sets default and global every ten seconds; so does this, besides when they change. Not quite at once:
/// somebody who edits them all the time would make each repair fail.
inline constexpr duration keep_sets_every = std::chrono::seconds(10);
inline constexpr duration settle_after = std::chrono::milliseconds(100);

void restore(cluster_sets& self, const context& ctx, outbox& out);
void on(cluster_sets& self, const object_changed& m, const context& ctx, outbox& out);
void on(cluster_sets& self, const timer_fired& m, const context& ctx, outbox& out);

/// Whether a committed change is one that cluster_sets must hear of; cheap, and false for what only touches the status or
/// the spec of a cluster, which is nearly all that happens to clusters.
bool concerns_cluster_sets(const change& c);

}  // namespace wh
