#pragma once
#include "actors/actor.hpp"

namespace wh {

/// Removes Events that nothing has been added to for `life` (kube-apiserver's --event-ttl, one hour by default). Looks
/// every sixth of that, so an Event lives up to a sixth longer.
struct event_reaper {
  duration life = std::chrono::hours(1);
};

void restore(event_reaper& self, const context& ctx, outbox& out);
void on(event_reaper& self, const timer_fired& m, const context& ctx, outbox& out);

}  // namespace wh
