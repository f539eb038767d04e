// The managed cluster's connection with its peer on the spoke: who may speak for it, and what is known of the link.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/names.hpp"

namespace wh {

using namespace cluster_detail;

namespace {

/// How long a session may take to show that it is alive when a second machine wants its place.
constexpr duration duel_time = std::chrono::seconds(10);
/// The second machine asks again this much later, and is forgotten when it has not for three times as long.
constexpr duration duplicate_retry_after = std::chrono::minutes(5);

/// Why the certificate does not speak for the cluster (any more); empty: it does. The newest certificate of an identity
/// wins: our CA signed it with both consents, so it came after whatever else there is (docs/decisions/0012).
std::string identity_problem(const managed_cluster& self, const spoke_connected& m) {
  if (self.key_sha256 == names::revoked_prefix + m.key_sha256)
    return fmt::format(
        "the certificate of cluster {} was revoked on the hub: join again with a new data folder and a token from: "
        "whctl get token",
        self.name);
  if (self.key_sha256.empty() || self.key_sha256 == m.key_sha256) return {};
  if (m.not_before > self.certificate_since) return {};
  return fmt::format(
      "this certificate of cluster {0} is superseded: a newer one is in use since {1}. If this machine is the one that "
      "should be connected, take the other's certificate from it (whctl revoke certificate {0}) and join again",
      self.name, to_rfc3339(self.certificate_since));
}

void note_identity(document& cluster, const spoke_connected& m, instant now) {
  auto& annotations = cluster["metadata"]["annotations"];
  annotations[names::key_annotation] = m.key_sha256;
  if (m.not_before == instant{}) return;
  annotations[names::certificate_since] = to_rfc3339(m.not_before);
  set_condition(cluster["status"]["conditions"],
                {.type = names::certificate_rotated,
                 .status = "True",
                 .reason = "ClientCertificateUpdated",
                 .message = fmt::format("client certificate is valid from {} to {}", to_rfc3339(m.not_before),
                                        to_rfc3339(m.not_after))},
                now);
}

void note_link(document& cluster, bool up, std::string reason, std::string message, instant now) {
  set_condition(cluster["status"]["conditions"],
                {.type = names::link_connected,
                 .status = up ? "True" : "False",
                 .reason = std::move(reason),
                 .message = std::move(message)},
                now);
}

/// Makes the connection the cluster's.
void take_link(managed_cluster& self, const spoke_connected& m, const context& ctx, outbox& out) {
  if (self.peer && self.key_sha256 != m.key_sha256)
    dismiss(self, errc::forbidden, "superseded: the cluster has connected with a newer certificate", out);
  if (self.peer) out.send(session_address(self.peer->session), close_session{"the cluster has connected again"});
  self.challenger.reset();
  self.peer = {.session = m.session,
               .hub_incarnation = m.greeting.hub_incarnation,
               .synced = false,
               .last_report = {},
               .level = m.greeting.level,
               .instance = m.greeting.instance,
               .agent = m.greeting.agent,
               .remote = m.remote};
  change_cluster(self, ctx, out, [&](document& cluster) {
    note_identity(cluster, m, ctx.now);
    note_link(cluster, true, "Connected",
              fmt::format("Connected from {} with {}.", m.remote,
                          m.greeting.software.empty() ? "unknown software" : m.greeting.software.substr(0, 100)),
              ctx.now);
  });
  if (m.not_after != instant{}) out.wake("certificate", std::max<duration>(m.not_after - ctx.now, duration{1}));
  out.log(note_level::info, fmt::format("connected from {}", m.remote));
  send_welcome(self, ctx, out);
}

/// Two machines with one identity look alike; only that the first one still answers tells them from one that has restarted.
void challenge(managed_cluster& self, const spoke_connected& m, outbox& out) {
  if (self.challenger)
    refuse_session(self.challenger->session, errc::conflict, "the cluster has connected again", false, out);
  self.challenger = m;
  out.send(session_address(self.peer->session), probe_session{duel_time});
  out.wake("duel", duel_time + std::chrono::seconds(1));
}

}  // namespace

namespace cluster_detail {

void tell_spoke(const managed_cluster& self, frame_to_spoke frame, outbox& out) {
  if (self.peer) out.send(session_address(self.peer->session), send_to_spoke{.frame = std::move(frame)});
}

void send_welcome(const managed_cluster& self, const context& ctx, outbox& out) {
  tell_spoke(self,
             welcome{.hub_incarnation = ctx.data.store_incarnation(),
                     .hub_now = ctx.now,
                     .accepted = self.accepted,
                     .lease = self.lease,
                     .cleanup = in_cleanup(self)},
             out);
}

void refuse_session(session_id session, errc code, std::string why, bool final, outbox& out) {
  out.send(session_address(session),
           send_to_spoke{.frame = refused{.code = code, .message = std::move(why), .retry_after = {}, .final = final},
                         .then_close = true});
}

void dismiss(managed_cluster& self, errc code, std::string why, outbox& out) {
  if (!self.peer) return;
  refuse_session(self.peer->session, code, std::move(why), code != errc::unauthorized, out);
  self.peer.reset();
  out.cancel("certificate");
}

void settle_duel(managed_cluster& self, const context& ctx, outbox& out) {
  if (!self.challenger) return;
  const auto other = *std::move(self.challenger);
  self.challenger.reset();
  if (!self.peer) return take_link(self, other, ctx, out);
  const auto why = fmt::format(
      "two machines use the identity of cluster {}: one at {} is connected, another one at {} was refused. Stop one of "
      "them; a copied data folder must join with a token of its own",
      self.name, self.peer->remote, other.remote);
  out.send(session_address(other.session), send_to_spoke{.frame = refused{.code = errc::conflict,
                                                                          .message = why,
                                                                          .retry_after = duplicate_retry_after,
                                                                          .final = false},
                                                         .then_close = true});
  out.log(note_level::warning, why);
  out.wake("duplicate", 3 * duplicate_retry_after);
  change_cluster(self, ctx, out, [&](document& cluster) {
    set_condition(cluster["status"]["conditions"],
                  {.type = names::duplicate_identity, .status = "True", .reason = "TwoMachines", .message = why + "."},
                  ctx.now);
    cluster_event(self, cluster, {.reason = "DuplicateIdentity", .message = why + ".", .warning = true, .action = {}},
                  ctx, out);
  });
}

void handle_leaving(managed_cluster& self, const leaving& m, const context& ctx, outbox& out) {
  out.log(note_level::warning, fmt::format("the cluster's administrator takes it away from this hub, {} its workloads",
                                           m.keep_workloads ? "keeping" : "removing"));
  change_cluster(self, ctx, out, [&](document& cluster) {
    auto& annotations = cluster["metadata"]["annotations"];
    annotations[names::left_at] = to_rfc3339(ctx.now);
    if (!self.key_sha256.starts_with(names::revoked_prefix))
      annotations[names::key_annotation] = names::revoked_prefix + self.key_sha256;
    const auto message = fmt::format("The cluster has left this hub and {} what the hub put there.",
                                     m.keep_workloads ? "keeps" : "removes");
    note_link(cluster, false, "SpokeLeft", message, ctx.now);
    cluster_event(self, cluster, {.reason = "ManagedClusterLeft", .message = message, .warning = true, .action = {}},
                  ctx, out);
  });
  out.send(session_address(self.peer->session), close_session{"the cluster has left"});
  self.peer.reset();
  out.wake("access", duration{0});
}

}  // namespace cluster_detail

void on(managed_cluster& self, const spoke_connected& m, const context& ctx, outbox& out) {
  const auto refuse = [&](errc code, std::string why) {
    out.log(note_level::warning, fmt::format("session {} from {} refused: {}", m.session.get(), m.remote, why));
    refuse_session(m.session, code, std::move(why), true, out);
  };
  if (!self.exists)
    return refuse(errc::not_found,
                  fmt::format("cluster {} is not registered on this hub (it was removed): join again with a new data "
                              "folder and a token from: whctl get token",
                              self.name));
  if (auto problem = identity_problem(self, m); !problem.empty()) return refuse(errc::forbidden, std::move(problem));
  const bool same_key = self.key_sha256 == m.key_sha256;
  const bool another_machine = self.peer && same_key && !self.peer->instance.empty() && !m.greeting.instance.empty() &&
                               self.peer->instance != m.greeting.instance;
  if (another_machine) return challenge(self, m, out);
  take_link(self, m, ctx, out);
}

void on(managed_cluster& self, const session_closed& m, const context& ctx, outbox& out) {
  if (self.waiting && self.waiting->session == m.session) self.waiting.reset();
  if (self.challenger && self.challenger->session == m.session) self.challenger.reset();
  if (!self.peer || self.peer->session != m.session) return;
  self.peer.reset();
  out.cancel("certificate");
  out.log(note_level::info, "disconnected: " + m.why.message);
  if (self.challenger) return settle_duel(self, ctx, out);
  change_cluster(self, ctx, out, [&](document& cluster) {
    note_link(cluster, false, "ConnectionLost", fmt::format("The connection has ended: {}.", m.why.message), ctx.now);
  });
}

namespace {

void handle(managed_cluster& self, const sync_request& m, const context& ctx, outbox& out) {
  handle_sync(self, m, ctx, out);
}
void handle(managed_cluster& self, const cluster_report& m, const context& ctx, outbox& out) {
  handle_cluster_report(self, m, ctx, out);
}
void handle(managed_cluster& self, const heartbeat& m, const context& ctx, outbox& out) {
  handle_heartbeat(self, m, ctx, out);
}
void handle(managed_cluster& self, const work_report& m, const context& ctx, outbox& out) {
  handle_work_report(self, m, ctx, out);
}
void handle(managed_cluster& self, const work_finished& m, const context& ctx, outbox& out) {
  handle_finished(self, m, ctx, out);
}
void handle(managed_cluster& self, const renew_request& m, const context& ctx, outbox& out) {
  handle_renewal(self, m, ctx, out);
}
void handle(managed_cluster& self, const leaving& m, const context& ctx, outbox& out) {
  handle_leaving(self, m, ctx, out);
}
template <class Other>
void handle(managed_cluster&, const Other&, const context&, outbox&) {}  // the session's own frames never get here

}  // namespace

void on(managed_cluster& self, const spoke_frame& m, const context& ctx, outbox& out) {
  if (!self.peer || self.peer->session != m.session) return;  // an older connection's last words
  std::visit([&](const auto& frame) { handle(self, frame, ctx, out); }, m.frame);
}

}  // namespace wh
