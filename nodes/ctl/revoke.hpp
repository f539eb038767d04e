#pragma once
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

/// `whctl revoke certificate CLUSTER…`: the key that speaks for each cluster is written down as revoked, whereupon the hub
/// ends its session and takes no certificate of that key any more. Doing it again changes nothing.
int revoke_certificates(console& c, const std::vector<std::string>& clusters);

}  // namespace wh::ctl
