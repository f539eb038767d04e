#pragma once
#include <string>
#include <vector>

#include "nodes/common/options.hpp"
#include "nodes/spoke/spoke.hpp"

namespace wh {

/// What the command line gives as text, before it is looked at.
struct spoke_flags {
  std::vector<std::string> hubs;
  std::vector<std::string> cluster_urls;
  std::string cluster_ca_file;
  std::vector<std::string> annotations;  ///< key=value
  std::vector<std::string> gates;        ///< Name=true or Name=false
  std::uint64_t custom_claims_max = claim_limits{}.custom_max;
};

/// Adds every flag of the spoke but those of its log and its keys. The targets must outlive the parsing.
void add_spoke_flags(command& program, spoke_options& options, spoke_flags& flags);

/// Puts the texts into the options; errors name the flag.
result<void> read_flags(const spoke_flags& flags, spoke_options& options);

}  // namespace wh
