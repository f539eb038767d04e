#pragma once
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

struct detach_options {
  std::vector<std::string> names = {};
  bool force = false;                       ///< for clusters that never answer
  bool yes = false;                         ///< with force: do not ask
  duration wait = std::chrono::minutes(1);  ///< until the clusters are gone; zero: do not wait
};

/// `whctl detach NAME…`: deletes the ManagedClusters and follows what the hub says is still to be done, until they are gone.
/// exit_failure if one is still there in the end.
int detach_clusters(console& c, const detach_options& options);

}  // namespace wh::ctl
