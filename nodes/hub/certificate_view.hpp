#pragma once
#include <map>
#include <shared_mutex>
#include <string>

#include "persistence/store.hpp"
#include "transport/net.hpp"

namespace wh {

/// Which certificates still speak for the clusters, for the API's door: a copy of what the ManagedClusters say, kept up to
/// date by the committed feed, so that a request costs a look into a map. The link's door asks the cluster's own actor,
/// which knows the same (actors/hub/managed_cluster_link.cpp). Thread-safe.
class certificate_view {
 public:
  /// Reads what there is; changes come through note().
  explicit certificate_view(const store& s);
  void note(const change& c);
  /// Whether a client's certificate is taken. A cluster's is not when its key is revoked, or when the cluster has shown a
  /// newer certificate of another key; everybody else's is. The error (unauthorized) says why not.
  result<void> check(const peer_identity& peer) const;

 private:
  struct entry {
    std::string key;  ///< names::key_annotation
    instant since{};  ///< names::certificate_since
  };
  void take(const object_key& key, const shared_bytes& body);

  mutable std::shared_mutex mutex_;
  std::map<std::string, entry, std::less<>> clusters_;  ///< those that have a key
};

}  // namespace wh
