#pragma once
#include <string>
#include <vector>

#include "nodes/ctl/manifests.hpp"

namespace wh::ctl {

/// The plural under which APIs serve an object's kind, as manifestConfigs name it: from the built-in kinds, from
/// CustomResourceDefinitions among the manifests, else by the English rule that Kubernetes' tools guess with.
std::string resource_of(const document& object, const std::vector<manifest>& manifests);

}  // namespace wh::ctl
