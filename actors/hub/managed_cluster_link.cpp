// The managed cluster's conversation with its peer on the spoke.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"

namespace wh {

using namespace cluster_detail;

namespace cluster_detail {

bool pushes(const managed_cluster& self) { return self.accepted && self.peer && self.peer->synced; }

void send_welcome(const managed_cluster& self, const context& ctx, outbox& out) {
  tell_spoke(self,
             welcome{.hub_incarnation = ctx.data.store_incarnation(),
                     .hub_now = ctx.now,
                     .accepted = self.accepted,
                     .lease = self.lease},
             out);
}

void send_work(const managed_cluster& self, const document& work, outbox& out) {
  document prescription = work;
  prescription.erase("status");
  prescription["metadata"].erase("managedFields");
  tell_spoke(self,
             work_desired{.name = std::string(name_of(work)),
                          .uid = std::string(uid_of(work)),
                          .gen = generation_of(work),
                          .deleting = is_deleting(work),
                          .body = encode_body(prescription)},
             out);
}

void apply_report(document& cluster, const cluster_report& report, instant now) {
  auto& status = cluster["status"];
  auto& conditions = status["conditions"];
  set_condition(
      conditions,
      {.type = names::joined, .status = "True", .reason = "ManagedClusterJoined", .message = "Managed cluster joined"},
      now);
  set_condition(conditions,
                {.type = names::available,
                 .status = report.available ? "True" : "False",
                 .reason = report.available ? "ManagedClusterAvailable" : "ManagedClusterKubeAPIServerUnavailable",
                 .message = report.available ? "Managed cluster is available" : report.available_message},
                now);
  if (!report.kubernetes_version.empty()) status["version"] = {{"kubernetes", report.kubernetes_version}};
  // Other writers may keep capacities of their own; allocatable is the agent's alone (spec 7.2).
  for (const auto& [resource, quantity] : report.capacity) status["capacity"][resource] = quantity;
  if (!report.allocatable.empty()) status["allocatable"] = report.allocatable;
  report_namespaces(cluster, report.namespaces, now);
}

}  // namespace cluster_detail

void on(managed_cluster& self, const spoke_connected& m, const context& ctx, outbox& out) {
  const auto refuse = [&](errc code, std::string why) {
    out.log(note_level::warning, fmt::format("session {} from {} refused: {}", m.session.get(), m.remote, why));
    out.send(session_address(m.session),
             send_to_spoke{.frame = refused{.code = code, .message = std::move(why), .retry_after = {}, .final = true},
                           .then_close = true});
  };
  if (!self.exists)
    return refuse(errc::not_found,
                  fmt::format("cluster {} is not registered on this hub (it was removed): join again with a new data "
                              "folder and a token from: whctl get token",
                              self.name));
  if (!self.key_sha256.empty() && self.key_sha256 != m.key_sha256)
    return refuse(errc::forbidden, fmt::format("cluster {} is registered with another key", self.name));
  if (self.peer) out.send(session_address(self.peer->session), close_session{"the cluster has connected again"});
  self.peer = {.session = m.session,
               .hub_incarnation = m.greeting.hub_incarnation,
               .synced = false,
               .level = m.greeting.level,
               .last_report = {}};
  self.waiting.reset();
  out.log(note_level::info, fmt::format("connected from {}", m.remote));
  send_welcome(self, ctx, out);
}

void on(managed_cluster& self, const session_closed& m, const context&, outbox& out) {
  if (self.peer && self.peer->session == m.session) {
    self.peer.reset();
    out.log(note_level::info, "disconnected: " + m.why.message);
  }
  if (self.waiting && self.waiting->session == m.session) self.waiting.reset();
}

namespace {

void handle(managed_cluster& self, const sync_request& m, const context& ctx, outbox& out) {
  if (!self.accepted) return;
  std::map<std::string, const held_work*> held;
  for (const auto& h : m.works) held[h.name] = &h;
  // A hub that was restored from a backup counts generations that it gave out before: equal numbers say nothing.
  const bool same_history = self.peer->hub_incarnation == ctx.data.store_incarnation();

  for (auto& [name, entry] : self.works) {
    const auto it = held.find(name);
    const bool same = same_history && it != held.end() && it->second->uid == entry.uid &&
                      it->second->gen == entry.gen && it->second->deleting == entry.deleting;
    if (same) continue;
    // Nothing of it is out there, and what remains of it is another controller's business.
    if (entry.deleting && !entry.finalizer && it == held.end()) continue;
    auto work = draft::open(work_key(self, name), ctx);
    if (!work) continue;
    if (!entry.finalizer && !entry.deleting) {
      add_finalizer(work->doc(), names::work_finalizer);
      work->save(out);
      entry.finalizer = true;
    }
    send_work(self, work->doc(), out);
  }
  // A restored or replaced hub may simply have forgotten: only the store that the spoke knows may call a work unknown.
  if (same_history) {
    for (const auto& [name, h] : held)
      if (!self.works.contains(name)) tell_spoke(self, work_unknown{name, h->uid}, out);
  }
  tell_spoke(self, sync_done{}, out);
  self.peer->synced = true;
  self.peer->hub_incarnation = ctx.data.store_incarnation();
  send_namespaces(self, ctx, out);
}

void report_cluster(managed_cluster& self, const cluster_report& report, const context& ctx, outbox& out) {
  auto cluster = draft::open(cluster_key(self), ctx);
  if (!cluster) return;
  apply_report(cluster->doc(), report, ctx.now);
  cluster->save(out);
  if (self.lease_expired) {
    self.lease_expired = false;
    out.log(note_level::info, "heartbeat is back");
  }
}

void handle(managed_cluster& self, const cluster_report& m, const context& ctx, outbox& out) {
  if (!self.accepted) return;
  self.renewed = ctx.now;
  report_cluster(self, m, ctx, out);
  self.peer->last_report = m;
  arm_grace(self, ctx, out);
  tell_spoke(self, report_ack{.work = "", .uid = "", .seq = m.seq}, out);
}

void handle(managed_cluster& self, const heartbeat&, const context& ctx, outbox& out) {
  if (!self.accepted) return;
  self.renewed = ctx.now;
  if (self.lease_expired && self.peer->last_report) {
    // A write of the condition and a renewal in memory cannot share one batch; the renewal comes with the next beat.
    report_cluster(self, *self.peer->last_report, ctx, out);
    return arm_grace(self, ctx, out);
  }
  if (self.lease_uid.empty()) return;
  out.writes.in_memory = true;
  out.store(
      {names::leases, self.name, names::cluster_lease},
      share(fmt::format(R"({{"metadata":{{"labels":{{"{}":"{}"}},"name":"{}","namespace":"{}","uid":"{}"}},)"
                        R"("apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
                        R"("spec":{{"holderIdentity":"{}","leaseDurationSeconds":{},"renewTime":"{}"}}}})",
                        names::cluster_name_label, self.name, names::cluster_lease, self.name, self.lease_uid,
                        names::cluster_lease, std::chrono::duration_cast<std::chrono::seconds>(self.lease).count(),
                        to_rfc3339_micro(ctx.now))));
}

/// What a spoke says is data from outside: an object with conditions and resourceStatus, nothing else gets through.
result<document> read_status(const work_report& m) {
  auto status = parse_json(*m.status);
  if (!status) return status;
  if (!status->is_object()) return fail(errc::invalid, "status is not an object");
  document clean = document::object();
  const auto conditions = status->find("conditions");
  if (conditions != status->end()) {
    const bool sound = conditions->is_array() && std::all_of(conditions->begin(), conditions->end(), [](const auto& c) {
                         return c.is_object() && c.contains("type") && c["type"].is_string() && c.contains("status") &&
                                c["status"].is_string();
                       });
    if (!sound) return fail(errc::invalid, "status.conditions is not a list of conditions");
    clean["conditions"] = std::move(*conditions);
  }
  const auto resources = status->find("resourceStatus");
  if (resources != status->end()) {
    if (!resources->is_object()) return fail(errc::invalid, "status.resourceStatus is not an object");
    clean["resourceStatus"] = std::move(*resources);
  }
  return clean;
}

void handle(managed_cluster& self, const work_report& m, const context& ctx, outbox& out) {
  const auto it = self.works.find(m.name);
  const auto ack = [&] { tell_spoke(self, report_ack{m.name, m.uid, m.seq}, out); };
  // A report for another life of the name, or for an older generation, answers a question nobody asks any more.
  if (it == self.works.end() || it->second.uid != m.uid || m.observed < it->second.gen) return ack();
  if (m.observed > it->second.gen || !m.status) {
    out.log(note_level::warning, fmt::format("report for work {} claims generation {} of {}: ignored", m.name,
                                             m.observed.get(), it->second.gen.get()));
    return;
  }
  auto work = draft::open(work_key(self, m.name), ctx);
  if (!work) return ack();
  auto status = read_status(m);
  if (!status) {
    out.log(note_level::warning, fmt::format("report for work {} refused: {}", m.name, status.err().message));
    return ack();
  }
  work->doc()["status"] = std::move(*status);
  work->save(out);
  ack();
}

void handle(managed_cluster& self, const work_finished& m, const context& ctx, outbox& out) {
  const auto it = self.works.find(m.name);
  if (it == self.works.end() || it->second.uid != m.uid) return tell_spoke(self, work_unknown{m.name, m.uid}, out);
  if (!it->second.deleting) return;
  auto work = draft::open(work_key(self, m.name), ctx);
  if (!work) return;
  remove_finalizer(work->doc(), names::work_finalizer);
  it->second.finalizer = false;
  work->save(out);
  if (work->released()) self.works.erase(it);
  tell_spoke(self, work_unknown{m.name, m.uid}, out);
  if (self.deleting) out.wake("removal", duration{0});
}

template <class Other>
void handle(managed_cluster&, const Other&, const context&, outbox&) {}  // the session's own frames never get here

}  // namespace

void on(managed_cluster& self, const spoke_frame& m, const context& ctx, outbox& out) {
  if (!self.peer || self.peer->session != m.session) return;  // an older connection's last words
  std::visit([&](const auto& frame) { handle(self, frame, ctx, out); }, m.frame);
}

}  // namespace wh
