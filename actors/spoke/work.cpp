#include "actors/spoke/work.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"
#include "actors/spoke/work_detail.hpp"

namespace wh {

using namespace work_detail;

namespace work_detail {

object_key prescription_key(const work& self) { return {names::prescriptions, "", self.name}; }
object_key state_key(const work& self) { return {names::work_states, "", self.name}; }

cluster_object anchor_object(const work& self) {
  return {"work.open-cluster-management.io/v1", "AppliedManifestWork", "", self.hub_hash + "-" + self.name};
}

bool same_object(const cluster_object& a, const cluster_object& b) {
  return a.kind == b.kind && a.ns == b.ns && a.name == b.name &&
         split_api_version(a.api_version).group == split_api_version(b.api_version).group;
}

applied_object* find_applied(work& self, const cluster_object& object) {
  const auto it = std::find_if(self.applied.begin(), self.applied.end(),
                               [&](const applied_object& a) { return same_object(a.object, object); });
  return it == self.applied.end() ? nullptr : &*it;
}

resource_identifier identifier_of(const cluster_object& object, const std::string& resource) {
  return {split_api_version(object.api_version).group, resource, object.ns, object.name};
}

void call(work& self, work::step_kind step, cluster_call request, outbox& out) {
  request.id = request_id{self.next_call++};
  self.now.step = step;
  self.now.call = request.id;
  out.send({actor_kind::cluster, ""}, std::move(request));
}

void get_object(work& self, work::step_kind step, const cluster_object& object, outbox& out) {
  // What the answer shows is at least as new as any news that came before the question.
  auto& known = self.known[object];
  if (const auto it = self.rumoured.find(object); it != self.rumoured.end()) known = std::max(known, it->second);
  call(self, step, {.id = {}, .verb = cluster_call::verb_kind::get, .object = object, .body = nullptr, .uid = {}}, out);
}

void tell_agent(const work& self, outbox& out) {
  out.send({actor_kind::cluster_agent, ""},
           work_held{.held = {self.name, self.uid, self.gen, self.deleting, self.history},
                     .gone = !self.held,
                     .reports_pending = self.finished || self.report_seq > self.report_acked});
}

void offer_report(const work& self, outbox& out) {
  if (self.report_seq <= self.report_acked) return;
  out.send({actor_kind::cluster_agent, ""}, report_ready{{.name = self.name,
                                                          .uid = self.uid,
                                                          .seq = self.report_seq,
                                                          .observed = self.reported_gen,
                                                          .status = share(self.status.dump())}});
}

void report(work& self, document status, outbox& out) {
  if (status == self.status && self.reported_gen == self.gen) return;
  self.status = std::move(status);
  self.reported_gen = self.gen;
  ++self.report_seq;
  offer_report(self, out);
}

void forget(work& self, outbox& out) {
  out.remove(prescription_key(self));
  out.remove(state_key(self));
  out.send({actor_kind::cluster, ""}, cluster_watch{});
  // A later work of the same name must find nothing of this one, not even in memory.
  auto fresh = make_work(self.name, self.hub_hash, self.agent_id);
  fresh.next_call = self.next_call;
  self = std::move(fresh);
  tell_agent(self, out);
  out.send({actor_kind::node, ""}, retire_me{});
}

void offer_finished(const work& self, outbox& out) {
  out.send({actor_kind::cluster_agent, ""}, finished_ready{{.name = self.name, .uid = self.uid}});
}

}  // namespace work_detail

namespace {

void take_prescription(work& self, document doc) {
  self.uid = uid_of(doc);
  self.gen = generation_of(doc);
  self.deleting = is_deleting(doc);
  self.prescription = std::move(doc);
  self.held = true;
}

}  // namespace

work make_work(std::string name, std::string hub_hash, std::string agent_id) {
  work self;
  self.name = std::move(name);
  self.hub_hash = std::move(hub_hash);
  self.agent_id = std::move(agent_id);
  return self;
}

void restore(work& self, const context& ctx, outbox& out) {
  self.next_call = ctx.random.next() >> 1;
  const auto stored = ctx.data.read(prescription_key(self));
  if (!stored) return;
  take_prescription(self, decode_stored(prescription_key(self), stored->body));
  if (const auto state = ctx.data.read(state_key(self))) load_state(self, decode_stored(state_key(self), state->body));
  tell_agent(self, out);
  if (self.evict_at) out.wake("evict", std::max(*self.evict_at - ctx.now, duration{0}));
  if (!self.finished) out.wake("reconcile", duration{0});
}

void on(work& self, const prescribe& m, const context& ctx, outbox& out) {
  if (self.leaving) return;
  const auto& d = m.desired;
  const bool same_history = self.held && self.uid == d.uid && self.history == m.history;
  const bool same = same_history && self.gen == d.gen && self.deleting == d.deleting;
  if (same) {
    if (self.finished) return offer_finished(self, out);
    if (self.evict_at) {
      self.evict_at.reset();
      out.cancel("evict");
      save_state(self, out);
    }
    return;
  }
  auto doc = decode_body(*d.body);
  if (!doc)
    return out.log(note_level::error,
                   fmt::format("prescription of work {} does not parse: {}", self.name, doc.err().message));
  // A generation never goes back within one life of the work; an older one is a late frame of an older connection.
  if (same_history && d.gen < self.gen) return;
  // What this hub was told of another life, or before it was restored from a backup, it does not know.
  if (self.held && !same_history) self.status = document::object();
  take_prescription(self, std::move(*doc));
  self.history = m.history;
  self.deleting = d.deleting;
  self.finished = false;
  self.evict_at.reset();
  self.failures = 0;
  out.cancel("evict");
  out.store(prescription_key(self), d.body);
  save_state(self, out);
  tell_agent(self, out);
  begin_round(self, ctx, out);
}

void on(work& self, const withdraw& m, const context& ctx, outbox& out) {
  if (!self.held) return out.send({actor_kind::node, ""}, retire_me{});
  if (m.uid != self.uid) return;
  if (self.finished) return forget(self, out);
  if (m.at_once || m.keep) {
    self.leaving = true;
    self.keep = m.keep;
    save_state(self, out);
    return begin_round(self, ctx, out);
  }
  if (self.evict_at || self.leaving) return;
  // Removed on the hub without us: the objects stay for OCM's grace, in case the work comes back (spec 8).
  self.evict_at = ctx.now + eviction_grace;
  save_state(self, out);
  out.wake("evict", eviction_grace);
  out.log(note_level::warning, fmt::format("the hub does not know work {} any more: its objects are removed in {}",
                                           self.name, human_duration(eviction_grace)));
}

void on(work& self, const resend_report&, const context&, outbox& out) {
  if (!self.held) return;
  if (self.finished) return offer_finished(self, out);
  offer_report(self, out);
}

/// Only a work that is over may be forgotten so easily: should the hub know it after all, an empty round ends it again.
void on(work& self, const cluster_unknown&, const context&, outbox& out) {
  if (self.held && self.finished) forget(self, out);
}

void on(work& self, const report_acked& m, const context&, outbox& out) {
  if (m.uid != self.uid || m.seq <= self.report_acked || m.seq > self.report_seq) return;
  self.report_acked = m.seq;
  save_state(self, out);
  tell_agent(self, out);
}

void on(work& self, const drifted& m, const context&, outbox& out) {
  auto& rumour = self.rumoured[m.object];
  rumour = std::max(rumour, m.rev);
  if (self.now.step == work::step_kind::idle && !self.finished && rumour > self.known[m.object])
    out.wake("reconcile", drift_delay);
}

void on(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (m.id != self.now.call) return;
  using step = work::step_kind;
  switch (self.now.step) {
    case step::idle: return;
    case step::anchor_get:
    case step::anchor_create: return handle_anchor(self, m, ctx, out);
    case step::apply_get:
    case step::apply_write: return handle_apply(self, m, ctx, out);
    case step::remove_get:
    case step::remove_write: return handle_removal(self, m, ctx, out);
    case step::anchor_status: return end_round(self, ctx, out);
    case step::anchor_release:
    case step::anchor_remove: return handle_release(self, m, ctx, out);
  }
}

void on(work& self, const timer_fired& m, const context& ctx, outbox& out) {
  if (m.name == "reconcile" || m.name == "resync" || m.name == "evict") begin_round(self, ctx, out);
}

}  // namespace wh
