#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/actor.hpp"
#include "actors/spoke/backoff.hpp"
#include "actors/spoke/cluster_claims.hpp"
#include "actors/spoke/namespace_keeper.hpp"

namespace wh {

/// What a spoke is started with.
struct agent_options {
  std::string cluster;
  std::string software;  ///< wheelhouse-spoke/0.1.0
  std::string token;     ///< for joining, and for joining again when the certificate is of no use any more
  std::string ca_pin;
  std::string instance = {};                               ///< random, of this run of the process
  std::map<std::string, std::string> annotations = {};     ///< told when joining, as client_configs
  std::map<std::string, std::string> client_configs = {};  ///< URL of the cluster's own API to CA bundle
  claim_limits claims = {};
  std::optional<leave_due> leave = {};                 ///< started to leave, and for nothing else: no identity is made
  duration leave_patience = std::chrono::seconds(30);  ///< to reach the hub; and to see one more work gone
};

/// The spoke's side of registration and link: keeps the identity, holds the connection, and passes prescriptions to the
/// work actors and their reports to the hub. Its remote peer is the hub's managed_cluster actor.
///
///                      no certificate                         certificate
///   start ──► offline ──dial──► connected ──join_request──► … join_certificate ──► (persist) ──► offline
///                 ▲               │ welcome(accepted)              ▲
///                 │               │──► sync_request ──► sync_done: synced; reports and heartbeats flow
///                 └──── lost ◄────┴──► renew_request, when 20 % to 25 % of the certificate's life are left
///
/// Works are only ever withdrawn because the hub says so, or because the cluster's own administrator does (leave_due): a
/// hub that cannot be reached, refuses or has forgotten takes nothing away.
///
/// Sources: cluster_agent.cpp (what arrives goes where), agent_identity.cpp (keys and certificates), agent_link.cpp
/// (connection, refusals), agent_sync.cpp (works and reports), agent_leaving.cpp.
struct cluster_agent {
  agent_options options;

  // durable: object identities/hub
  std::string agent;  ///< random, chosen once
  std::string key_pem;
  std::string csr_pem;
  std::string cert_pem;  ///< empty until joined
  std::string next_key_pem;
  std::string next_csr_pem;         ///< a certificate for it has been or will be asked for; empty: none
  std::string ca_pem;               ///< of the hub, once pinned
  std::string hub_incarnation;      ///< of the store last synced with
  std::string joined_with;          ///< SHA-256 of the token that the certificate in use was got with
  std::optional<instant> renew_at;  ///< drawn once for each certificate
  struct departure {
    bool keep_workloads = false;
    bool hub_told = false;
  };
  std::optional<departure> leaving;  ///< begun and not over

  struct validity {
    instant from, until;
  };
  std::optional<validity> certified;   ///< of cert_pem; none: there is none, or it does not parse
  instant renewal_refused_until = {};  ///< no new request before
  bool rejoin = false;                 ///< the hub does not take the certificate, and there is a token that may help

  std::map<std::string, held_work> held;  ///< each with the history of its generation
  std::set<std::string> unreported;       ///< works with something that the hub has not acknowledged

  struct online {
    session_id session;
    bool member = false;       ///< dialled with the certificate
    std::string greeted = {};  ///< hub_incarnation that hello named
    bool accepted = false;
    bool cleanup = false;  ///< only removals pass
    bool synced = false;
    std::string hub_incarnation = {};
    duration lease{};
    std::uint32_t level = 0;  ///< of the hub
    bool clock_told = false;
    std::optional<instant> renewal_asked = {};
    bool goodbye = false;  ///< `leaving` has been sent
    std::optional<cluster_report> reported = {};
    instant reported_at = {};
  };
  std::optional<online> link;
  bool dialled_as_member = false;
  reconnect_backoff backoff;
  duration retry_after{};
  std::set<std::string>
      told;  ///< lines about the link since the last good moment, so that a long outage is not a long log

  cluster_facts facts;
  std::optional<bool> available;           ///< as told to the hub; none: not known yet
  std::optional<instant> unhealthy_since;  ///< believed after a while only
  std::uint64_t report_seq = 0;
  std::string claims_told;  ///< last line about claims that are left out
  namespace_keeper namespaces;

  bool hub_settled = false;  ///< leaving: the hub is told, or will not be
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
void on(cluster_agent& self, const cluster_reply& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const drifted& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const leave_due& m, const context& ctx, outbox& out);
void on(cluster_agent& self, const timer_fired& m, const context& ctx, outbox& out);

}  // namespace wh
