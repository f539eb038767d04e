#pragma once
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

/// `whctl deny NAME…`: sets spec.hubAcceptsClient to false, and tells what is left on the clusters. Doing it again changes
/// nothing.
int deny_clusters(console& c, const std::vector<std::string>& names);

}  // namespace wh::ctl
