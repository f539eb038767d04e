#pragma once
#include <functional>
#include <memory>
#include <string>

#include "nodes/ctl/join_token.hpp"
#include "sim/process/admin_client.hpp"
#include "sim/process/resource_watch.hpp"

namespace wh {

/// Stores a bootstrap token that so many clusters may join with; without a number, any.
result<ctl::join_token> make_bootstrap_token(admin_client& admin, std::optional<std::uint64_t> uses = {},
                                             duration ttl = std::chrono::hours(24));

// --- works that carry one ConfigMap of a given size ------------------------------------------------------------------
/// `payload_bytes` of text that differs from work to work and from edition to edition.
document payload_work(const std::string& name, std::size_t payload_bytes, std::uint64_t edition);

/// The three below tell the generation that the write led to, which the cluster's status must answer.
void create_work(admin_client& admin, const std::string& cluster, const std::string& name, std::size_t payload_bytes,
                 admin_client::done<generation> then);
void update_work(admin_client& admin, const std::string& cluster, const std::string& name, std::size_t payload_bytes,
                 std::uint64_t edition, admin_client::done<generation> then);
void delete_work(admin_client& admin, const std::string& cluster, const std::string& name,
                 admin_client::done<generation> then);

result<generation> create_work(admin_client& admin, const std::string& cluster, const std::string& name,
                               std::size_t payload_bytes);
result<generation> update_work(admin_client& admin, const std::string& cluster, const std::string& name,
                               std::size_t payload_bytes, std::uint64_t edition);
result<generation> delete_work(admin_client& admin, const std::string& cluster, const std::string& name);

// --- what became of them ---------------------------------------------------------------------------------------------
enum class condition_state { absent, true_, false_, unknown };

/// A ManifestWork as the hub shows it.
struct work_sight {
  std::string cluster;
  std::string name;
  generation wanted;  ///< of its spec
  condition_state applied = condition_state::absent;
  generation applied_observed;  ///< the generation that the condition answers
  condition_state available = condition_state::absent;
  generation available_observed;
  bool deleting = false;  ///< waits for its cluster to clean up
  bool deleted = false;   ///< gone; nothing else is known then

  /// Its cluster has applied this generation, or a later one, and finds it available.
  bool up(generation at_least) const;
};
work_sight sight_of_work(const document& work);

/// Tells of every ManifestWork on the hub, and of each change to one. On the client's thread; must not block.
class work_watch {
 public:
  work_watch(admin_client& admin, std::function<void(const work_sight&)> on_change);
  result<void> wait_synced(duration timeout) const { return watch_.wait_synced(timeout); }
  watch_figures figures() const { return watch_.figures(); }

 private:
  resource_watch watch_;
};

/// Tells of every ManagedCluster likewise: joined and available are what its conditions say.
struct cluster_sight {
  std::string name;
  bool accepted = false;
  bool joined = false;
  condition_state available = condition_state::absent;
  bool deleted = false;
};
cluster_sight sight_of_cluster(const document& cluster);

class fleet_watch {
 public:
  fleet_watch(admin_client& admin, std::function<void(const cluster_sight&)> on_change);
  result<void> wait_synced(duration timeout) const { return watch_.wait_synced(timeout); }
  watch_figures figures() const { return watch_.figures(); }

 private:
  resource_watch watch_;
};

}  // namespace wh
