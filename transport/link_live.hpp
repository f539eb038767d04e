#pragma once
#include <chrono>

#include "transport/link_ports.hpp"

namespace wh {

/// Timers of a live node. The loop must outlive whoever uses them.
inline link_timers live_link_timers(event_loop& loop) {
  return {
      .after = [&loop](duration d, std::function<void()> f) { loop.after(d, std::move(f)); },
      .now = [] { return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()); }};
}

/// `route` as dial_link().
inline link_dialer live_link_dialer(event_loop& loop, dial_route route = {}) {
  return [&loop, route = std::move(route)](const host_port& to, const tls_config& tls, duration timeout,
                                           accept_handler on_connected, std::function<void(const error&)> on_failed) {
    dial_link(loop, to, tls, timeout, std::move(on_connected), std::move(on_failed), route);
  };
}

}  // namespace wh
