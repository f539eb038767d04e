#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/actor.hpp"
#include "actors/spoke/backoff.hpp"

namespace wh {

/// What a spoke is started with; only needed until it has joined (the rest is in its store then).
struct agent_options {
  std::string cluster;
  std::string software;  ///< wheelhouse-spoke/0.1.0
  std::string token;
  std::string ca_pin;
};

/// The spoke's side of registration and link: keeps the identity, holds the connection, and passes prescriptions to the
/// work actors and their reports to the hub. Its remote peer is the hub's managed_cluster actor.
///
///                      no certificate                         certificate
///   start ──► offline ──dial──► connected ──join_request──► … join_certificate ──► (persist) ──► offline
///                 ▲               │ welcome(accepted)
///                 └──── lost ◄────┴──► sync_request ──► sync_done: synced; reports and heartbeats flow
struct cluster_agent {
  agent_options options;

  // durable: object identities/hub
  std::string agent;  ///< random, chosen once
  std::string key_pem;
  std::string csr_pem;
  std::string cert_pem;         ///< empty until joined
  std::string ca_pem;           ///< of the hub, once pinned
  std::string hub_incarnation;  ///< of the store last synced with

  std::map<std::string, held_work> held;
  std::set<std::string> unreported;  ///< works with something that the hub has not acknowledged

  struct online {
    session_id session;
    bool accepted = false;
    bool synced = false;
    std::string hub_incarnation;
    duration lease{};
  };
  std::optional<online> link;
  reconnect_backoff backoff;
  duration retry_after{};
  std::string last_told;  ///< the last line about the link, so that a long outage is not a long log

  cluster_facts facts;
  bool facts_known = false;
  std::uint64_t report_seq = 0;
};

cluster_agent make_cluster_agent(agent_options options);
void restore(cluster_agent& self, const context& ctx, outbox& out);
void on(cluster_agent& self, const hub_connected& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const dial_failed& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const session_closed& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const hub_frame& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const work_held& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const report_ready& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const finished_ready& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const cluster_facts& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const timer_fired& m, const context& ctx, outbox& out);

}  // namespace wh
