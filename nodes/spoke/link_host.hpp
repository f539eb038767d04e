#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "actors/actor.hpp"
#include "transport/link_ports.hpp"
#include "transport/session.hpp"

namespace wh {

struct spoke_link_options {
  link_post post;  ///< to the spoke's actors
  link_timers timers;
  link_dialer dial;
  std::vector<host_port> hubs;  ///< tried in turn, the next one after each failure and each refusal
  duration dial_timeout = std::chrono::seconds(15);
  session_limits limits;
  std::function<void(note)> log;  ///< may be empty
};

/// The spoke's end of its link, between the cluster agent and a connection to the hub. There is one link at a time: a new
/// dial_hub drops what was before. Everything is reported to the agent: hub_connected or dial_failed, hub_frame,
/// session_closed. Any thread may call. Its connections' loop may outlive it: nothing is posted once stop() returns.
class spoke_link_host {
 public:
  explicit spoke_link_host(spoke_link_options options);
  ~spoke_link_host();
  spoke_link_host(const spoke_link_host&) = delete;
  spoke_link_host& operator=(const spoke_link_host&) = delete;

  /// For envelopes to actor_kind::dialer (dial_hub) and actor_kind::session (send_to_hub, close_session).
  void deliver(envelope e);
  /// Closes the link, what was sent before it goes out; and dials no more.
  void stop();

  struct core;

 private:
  std::shared_ptr<core> core_;
};

}  // namespace wh
