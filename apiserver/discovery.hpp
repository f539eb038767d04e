#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "resources/kinds.hpp"

namespace wh {

/// A create-only endpoint that answers instead of storing: access reviews and the like.
struct virtual_resource {
  std::string group;
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = false;
};
const std::vector<virtual_resource>& virtual_resources();

/// Discovery documents, rebuilt when the registry changes.
class discovery_cache {
 public:
  explicit discovery_cache(const kind_registry& kinds) : kinds_(kinds) {}

  /// APIVersions, as `/api` answers.
  std::string core_versions() const;
  /// APIGroupList, as `/apis` answers.
  std::string groups();
  /// APIGroup; empty when there is none of this name.
  std::string group(const std::string& name);
  /// APIResourceList; empty when the version is not served.
  std::string resources(const std::string& group, const std::string& version);
  /// APIGroupDiscoveryList of `/api` (core) or `/apis` in apidiscovery.k8s.io/v2 or v2beta1.
  std::string aggregated(bool core, const std::string& version);

 private:
  std::string cached(const std::string& key, std::string (discovery_cache::*build)(const std::string&));
  std::string build_groups(const std::string&);
  std::string build_group(const std::string& name);
  std::string build_resources(const std::string& group_version);
  std::string build_aggregated(const std::string& which);

  const kind_registry& kinds_;
  std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::map<std::string, std::string> texts_;
};

/// Subresources that a kind has: status, approval, finalize.
std::vector<std::string> subresources_of(const kind_info& kind);

/// Kubernetes' order of versions: v2 before v1 before v1beta2 before v1alpha1.
bool version_precedes(std::string_view a, std::string_view b);

}  // namespace wh
