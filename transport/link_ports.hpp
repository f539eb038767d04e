#pragma once
#include <functional>

#include "messages/actor_messages.hpp"
#include "transport/net.hpp"

/// What the link hosts of both nodes need from outside. A live node takes it from its event loop (link_live.hpp), the
/// simulator from virtual time and its fake network.
namespace wh {

struct link_timers {
  std::function<void(duration, std::function<void()>)> after;
  std::function<duration()> now;  ///< monotonic
};

/// Dials as dial_link() does: exactly one of the two callbacks runs, later.
using link_dialer = std::function<void(const host_port& to, const tls_config& tls, duration timeout,
                                       accept_handler on_connected, std::function<void(const error&)> on_failed)>;

/// Listens as listen_link() does, where links come from elsewhere than a socket.
using link_listen_function = std::function<result<std::unique_ptr<link_listener>>(
    event_loop& loop, const host_port& at, const tls_config& tls, accept_handler on_accept)>;

/// actor_runtime::post
using link_post = std::function<result<void>(envelope)>;

}  // namespace wh
