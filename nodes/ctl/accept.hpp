#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

struct accept_options {
  std::vector<std::string> names = {};
  std::vector<std::string> csrs = {};  ///< approve these requests only; needed when several agents ask for one name
  std::optional<duration> wait = {};   ///< until the clusters are joined and available
};

/// `whctl accept NAME…`: approves the certificate request and sets spec.hubAcceptsClient. Doing it again changes nothing.
/// Requests that carry the cluster's label and are left alone are named on `err`, with the reason.
int accept_clusters(console& c, const accept_options& options);

}  // namespace wh::ctl
