#pragma once
#include <optional>

#include "base/random.hpp"
#include "base/time.hpp"

namespace wh {

/// Reconnection: exponential with full jitter (a delay drawn from [0, ceiling), Brooker 2015), so that a fleet that lost
/// its hub at one moment does not return at one moment.
struct reconnect_backoff {
  std::optional<instant> outage_since;
  int attempts = 0;
};

inline constexpr duration backoff_base = std::chrono::milliseconds(500);
inline constexpr duration backoff_cap_early = std::chrono::seconds(5);  ///< in an outage's first minute
inline constexpr duration backoff_cap_late = std::chrono::seconds(15);
inline constexpr duration backoff_early_span = std::chrono::minutes(1);

/// The next delay, and one attempt more. `retry_after`: what the hub asked for; never undercut, spread by a quarter.
duration next_delay(reconnect_backoff& b, instant now, duration retry_after, rng& random);

/// The link is up again.
void reset(reconnect_backoff& b);

}  // namespace wh
