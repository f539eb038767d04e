#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "transport/link_ports.hpp"
#include "transport/session.hpp"

namespace wh {

/// A connection, or what it asked for, was refused for a reason that an administrator may want to read again.
struct link_refusal {
  subject user;         ///< of the certificate; empty: there was none
  std::string cluster;  ///< proven, or as said; at most 80 bytes
  std::string software;
  std::string remote;  ///< ip:port
  error why;
};

struct hub_link_options {
  link_post post;  ///< to the hub's actors
  link_timers timers;
  /// Slower to ask than spokes are, so that one ping in each silence is enough for both ends.
  session_limits limits{.ping_after = std::chrono::seconds(75), .dead_after = std::chrono::seconds(150)};
  std::size_t applicants_max = 1000;                         ///< connections without certificate at a time
  std::uint64_t seed = 0;                                    ///< of the jitter in retry_after
  std::function<void(note)> log;                             ///< may be empty
  std::function<void(const link_refusal&)> on_refused = {};  ///< any thread; must not block; may be empty
};

/// Counted since the start, except the first three.
struct hub_link_figures {
  std::uint64_t sessions = 0;    ///< open now, applicants included
  std::uint64_t members = 0;     ///< open now, hello accepted
  std::uint64_t applicants = 0;  ///< open now, without certificate
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t stalls = 0;           ///< waits (of 50 ms) of a link for a full mailbox
  std::uint64_t refused = 0;          ///< links that the host itself ended
  std::vector<double> report_counts;  ///< of time_buckets: from sending a work to its first durable report
  double report_seconds = 0;          ///< all of these together
};

/// The hub's end of all links: a session for each connection, between `connection`s (TLS or simulated) and actors.
///
///   spoke with certificate:   hello → spoke_connected, frames → spoke_frame, end → session_closed; to its managed_cluster
///   without:                  hello, join_request → join_asked to the gatekeeper; its managed_cluster answers the session
///                             and is told session_closed from its first answer on. (Not before: an actor starts with its
///                             first message, and a stranger must not start actors by making up names.)
///
/// A message for a session that is gone is answered by session_closed. Any thread may call. Destroy it when the loop of
/// its connections has stopped or nothing runs on it.
class hub_link_host {
 public:
  explicit hub_link_host(hub_link_options options);
  ~hub_link_host();
  hub_link_host(const hub_link_host&) = delete;
  hub_link_host& operator=(const hub_link_host&) = delete;

  /// For listen_link(), the simulator's network, or any test that makes connections.
  accept_handler acceptor();
  /// For envelopes to actor_kind::session: send_to_spoke, close_session, probe_session.
  void deliver(envelope e);
  /// The cluster's actor lost its volatile state: its spokes must connect and sync anew.
  void close_sessions_of(const std::string& cluster);
  /// Tells every spoke to come back in a moment, spread over some seconds, and closes; refuses whoever still comes.
  void drain();
  hub_link_figures figures() const;

  struct core;

 private:
  std::shared_ptr<core> core_;
};

}  // namespace wh
