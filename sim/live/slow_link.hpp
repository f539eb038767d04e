#pragma once
#include "transport/link_ports.hpp"

namespace wh {

/// A far cluster's line. What `on_connected` gets for a fresh connection delivers every byte, in each direction, `one_way`
/// later and in order; an orderly end comes behind the bytes before it. abort() is immediate, and what was on its way in
/// either direction is lost. The handshake is over by then, and was as fast as the machine.
///
/// `timers` are the loop's; on_bytes, on_drained and on_closed come on it, one at a time. Zero delays nothing and wraps
/// nothing.
accept_handler over_slow_link(accept_handler on_connected, link_timers timers, duration one_way);

}  // namespace wh
