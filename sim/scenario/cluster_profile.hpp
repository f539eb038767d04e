#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "base/time.hpp"
#include "sim/scenario/scenario.hpp"

namespace wh {

/// One cluster of a fleet, as a scenario and a seed make it.
struct cluster_profile {
  std::string name;  ///< sim-00001
  std::string region;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> claims;
  std::map<std::string, std::string> capacity;     ///< quantities: cpu, memory
  std::map<std::string, std::string> allocatable;  ///< what the system itself leaves of it
  duration latency{};
  duration object_delay{};  ///< until an object that is applied here becomes Available
  std::uint64_t seed = 0;   ///< for what the cluster draws while it lives
  friend bool operator==(const cluster_profile&, const cluster_profile&) = default;
};

/// The cluster of that number, 0 being the first. It depends on nothing else: not on how many clusters there are, nor on those
/// asked for before. Each property is drawn from a stream of its own, so that a label added to a scenario moves no cluster
/// to another region.
cluster_profile profile_of(const scenario& s, std::uint64_t seed, int index);

}  // namespace wh
