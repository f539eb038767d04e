#pragma once
#include <string>

#include "base/result.hpp"
#include "transport/net.hpp"

namespace wh {

/// What makes this spoke this spoke; kept in `spoke.json` (0600) so that later starts need only the data folder.
struct spoke_settings {
  std::string cluster_name;
  std::string hub;  ///< host:port
  std::string ca_pin;
  std::string token;  ///< of the join; of no use once joined
  friend bool operator==(const spoke_settings&, const spoke_settings&) = default;
};

/// Settings of this start: flags where given, else what an earlier start kept. Refuses another cluster name than the
/// folder's, and says which flag is missing on a first start.
result<spoke_settings> settle_settings(const std::string& data_dir, const spoke_settings& flags);

}  // namespace wh
