#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace wh {

/// Which claims of a cluster its hub is told (registration spec, section 8).
struct claim_limits {
  std::vector<std::string> reserved_suffixes;  ///< names that end so are reserved too
  std::size_t custom_max = 20;                 ///< of the claims that are not reserved
};
inline constexpr std::size_t claim_suffixes_max = 10;
inline constexpr std::size_t claim_name_max = 253;
inline constexpr std::size_t claim_value_max = 1024;
/// Reserved and custom together: a frame's map holds no more.
inline constexpr std::size_t claims_max = 1000;

struct chosen_claims {
  std::map<std::string, std::string> claims;
  std::uint32_t dropped = 0;         ///< beyond a limit
  std::vector<std::string> unsound;  ///< names of claims with an empty or too long name or value
};

/// All reserved ones, then the custom ones in the order of their names up to the limit.
chosen_claims choose_claims(const std::map<std::string, std::string>& all, const claim_limits& limits);

}  // namespace wh
