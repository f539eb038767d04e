#pragma once
#include <utility>

#include "sim/virtual_runtime.hpp"
#include "transport/link_ports.hpp"

namespace wh {

/// The world's time for link hosts and the virtual network. It only ever goes forward, so it serves as a monotonic clock.
inline link_timers virtual_link_timers(virtual_world& world) {
  return {.after = [&world](duration d, std::function<void()> f) { world.schedule(d, std::move(f)); },
          .now = [&world] { return world.now().time_since_epoch(); }};
}

}  // namespace wh
