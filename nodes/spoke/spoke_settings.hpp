#pragma once
#include <map>
#include <string>

#include "base/result.hpp"
#include "transport/net.hpp"

namespace wh {

/// The HTTP proxy between spoke and hub.
struct proxy_settings {
  std::string url;               ///< empty: none; it may hold a password
  std::string credentials_file;  ///< empty: none
  std::string ca_file;           ///< empty: the system's authorities
  friend bool operator==(const proxy_settings&, const proxy_settings&) = default;
};

/// What makes this spoke this spoke; kept in `spoke.json` (0600) so that later starts need only the data folder.
struct spoke_settings {
  std::string cluster_name;
  std::string hub;  ///< host:port, or several with commas
  std::string ca_pin;
  std::string token;  ///< of the join, or of joining again; empty: the cluster has left its hub
  proxy_settings proxy = {};
  /// The host by which this spoke first knew its hub, so that what is named after it keeps its name when addresses change.
  std::string hub_name = {};
  std::map<std::string, std::string> annotations = {};     ///< agent.open-cluster-management.io/…, told when joining
  std::map<std::string, std::string> client_configs = {};  ///< URL of the cluster's own API to CA bundle, the same
  friend bool operator==(const spoke_settings&, const spoke_settings&) = default;
};

/// Settings of this start: flags where given, else what an earlier start kept. Refuses another cluster name than the
/// folder's, and says which flag is missing on a first start. The proxy's flags are given up again with `none`.
result<spoke_settings> settle_settings(const std::string& data_dir, const spoke_settings& flags);

/// What an earlier start kept; errc::not_found: the folder is none of a spoke.
result<spoke_settings> kept_settings(const std::string& data_dir);
/// The token is of no use any more: a later start needs a new one.
result<void> erase_token(const std::string& data_dir);

}  // namespace wh
