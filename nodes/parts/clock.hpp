#pragma once
#include <cstdint>
#include <random>

#include "base/time.hpp"

namespace wh {

/// The one place where a live node asks for the time of day.
inline instant wall_clock() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

/// A seed that no other start has.
inline std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// SIGTERM to exit takes at most a little more than this; what is not finished then was acknowledged to nobody.
inline constexpr duration drain_grace = std::chrono::seconds(2);

}  // namespace wh
