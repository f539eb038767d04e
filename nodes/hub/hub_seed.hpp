#pragma once
#include <string>
#include <vector>

#include "resources/document.hpp"

namespace wh {

/// Cluster roles that the hub keeps from its first start: OCM's bootstrap and agent roles.
std::vector<document> hub_roles();

/// ConfigMap kube-public/cluster-info: where spokes dial, and the pin of the CA that they must find there.
document cluster_info(const std::string& api, const std::string& link, const std::string& ca_pem,
                      const std::string& pin);

}  // namespace wh
