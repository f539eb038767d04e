#include "actors/spoke/backoff.hpp"

#include <algorithm>

namespace wh {

duration next_delay(reconnect_backoff& b, instant now, duration retry_after, rng& random) {
  if (!b.outage_since) b.outage_since = now;
  const duration cap = now - *b.outage_since < backoff_early_span ? backoff_cap_early : backoff_cap_late;
  // 2^6 times the base is beyond either cap.
  const duration ceiling = std::min(cap, backoff_base * (1 << std::min(b.attempts, 6)));
  ++b.attempts;
  if (retry_after > duration{0})
    return retry_after +
           duration{static_cast<duration::rep>(random.unit() * static_cast<double>(retry_after.count()) / 4)};
  return duration{static_cast<duration::rep>(random.below(static_cast<std::uint64_t>(ceiling.count())))};
}

void reset(reconnect_backoff& b) { b = {}; }

}  // namespace wh
