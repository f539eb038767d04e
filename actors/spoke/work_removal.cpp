// Taking things away again: what a work no longer lists, or everything when it goes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/spoke/work_detail.hpp"

namespace wh::work_detail {
namespace {

using step = work::step_kind;

bool is_listed(const work& self, const applied_object& a) {
  return std::any_of(self.now.manifests.begin(), self.now.manifests.end(),
                     [&](const manifest& m) { return same_object(m.object, a.object); });
}

applied_object& current(work& self) { return self.now.removals[self.now.at]; }

void drop_from_applied(work& self, const cluster_object& object) {
  std::erase_if(self.applied, [&](const applied_object& a) { return same_object(a.object, object); });
  self.settled.erase(object);
  self.known.erase(object);
  self.rumoured.erase(object);
}

void record_applied(work& self, const context& ctx, outbox& out);
void release_anchor(work& self, const context& ctx, outbox& out);

void remove_next(work& self, const context& ctx, outbox& out) {
  if (self.now.at < self.now.removals.size()) return get_object(self, step::remove_get, current(self).object, out);
  if (!self.now.everything) return record_applied(self, ctx, out);
  if (self.now.waits || self.now.failed) return end_round(self, ctx, out);
  release_anchor(self, ctx, out);
}

void next_removal(work& self, const context& ctx, outbox& out) {
  ++self.now.at;
  self.now.conflicts = 0;
  remove_next(self, ctx, out);
}

/// Removal `at` is over: nothing of it is ours any more.
void settled_removal(work& self, const context& ctx, outbox& out) {
  drop_from_applied(self, current(self).object);
  next_removal(self, ctx, out);
}

void fail_removal(work& self, const std::string& why, const context& ctx, outbox& out) {
  const auto& o = current(self).object;
  out.log(note_level::warning,
          fmt::format("work {}: {} {}/{} could not be removed: {}", self.name, o.kind, o.ns, o.name, why));
  self.now.failed = true;
  next_removal(self, ctx, out);
}

/// A person who waits for the cluster to leave is told what keeps it.
void wait_for(work& self, const document& live, outbox& out) {
  self.now.waits = true;
  if (!self.leaving) return;
  const auto& o = current(self).object;
  auto text = fmt::format("work {}: {} {} is being deleted, and waits for its finalizers: {}", self.name, o.kind,
                          o.ns.empty() ? o.name : o.ns + "/" + o.name,
                          fmt::join(texts_at(live, {"metadata", "finalizers"}), ", "));
  if (text == self.obstacle) return;
  self.obstacle = text;
  out.log(note_level::warning, std::move(text));
}

void decide_removal(work& self, const document& live, const std::string& resource, const context& ctx, outbox& out) {
  auto& a = current(self);
  const bool another_life = !a.uid.empty() && uid_of(live) != a.uid;
  if (another_life || !has_owner(live, self.anchor)) return settled_removal(self, ctx, out);
  const bool keep = self.keep || is_orphaned(self.prescription, identifier_of(a.object, resource)) ||
                    has_other_work_owner(live, self.anchor);
  if (keep) {
    document released = live;
    set_owner(released, self.anchor, false);
    return call(self, step::remove_write,
                {.id = {},
                 .verb = cluster_call::verb_kind::replace,
                 .object = a.object,
                 .body = share(released.dump()),
                 .uid = {}},
                out);
  }
  if (is_deleting(live)) {
    // Its own finalizers are at work; the watch tells when it is gone.
    wait_for(self, live, out);
    return next_removal(self, ctx, out);
  }
  call(self, step::remove_write,
       {.id = {},
        .verb = cluster_call::verb_kind::remove,
        .object = a.object,
        .body = nullptr,
        .uid = std::string(uid_of(live))},
       out);
}

void handle_removed(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (!m.failure) {
    if (!m.body) return settled_removal(self, ctx, out);
    auto left = parse_json(*m.body);
    if (left && is_deleting(*left)) {
      wait_for(self, *left, out);
      return next_removal(self, ctx, out);
    }
    return settled_removal(self, ctx, out);  // kept, without our reference
  }
  if (m.failure->code == errc::not_found) return settled_removal(self, ctx, out);
  if (m.failure->code == errc::conflict && ++self.now.conflicts < conflicts_max)
    return get_object(self, step::remove_get, current(self).object, out);
  fail_removal(self, m.failure->message, ctx, out);
}

void finish_work(work& self, outbox& out) {
  self.finished = true;
  self.now = {};
  self.applied.clear();
  self.anchor = {};
  save_state(self, out);
  tell_agent(self, out);
  out.send({actor_kind::cluster_agent, ""}, finished_ready{{.name = self.name, .uid = self.uid}});
  out.log(note_level::info, fmt::format("work {} is removed", self.name));
}

/// Everything is gone from the cluster and the anchor too.
void all_gone(work& self, const context& ctx, outbox& out) {
  if (self.leaving) return forget(self, out);
  if (self.deleting) return finish_work(self, out);
  if (self.evict_at && ctx.now >= *self.evict_at) {
    out.log(note_level::warning, fmt::format("work {} is evicted: the hub has not known it for {}", self.name,
                                             human_duration(eviction_grace)));
    return forget(self, out);
  }
  // The anchor had been deleted by hand: begin anew.
  self.anchor = {};
  self.again = false;
  self.now = {};
  save_state(self, out);
  begin_round(self, ctx, out);
}

void release_anchor(work& self, const context& ctx, outbox& out) {
  if (self.now.anchor.is_null()) return all_gone(self, ctx, out);
  document anchor = self.now.anchor;
  remove_finalizer(anchor, names::applied_work_finalizer);
  call(self, step::anchor_release,
       {.id = {},
        .verb = cluster_call::verb_kind::replace,
        .object = anchor_object(self),
        .body = share(anchor.dump()),
        .uid = {}},
       out);
}

/// status.appliedResources of the anchor: what survives the loss of everything else.
void record_applied(work& self, const context& ctx, outbox& out) {
  document resources = document::array();
  for (const auto& a : self.applied) {
    if (a.uid.empty()) continue;
    const auto gv = split_api_version(a.object.api_version);
    document entry = {{"group", gv.group},
                      {"version", gv.version},
                      {"resource", a.resource},
                      {"name", a.object.name},
                      {"uid", a.uid}};
    if (!a.object.ns.empty()) entry["namespace"] = a.object.ns;
    resources.push_back(std::move(entry));
  }
  const document* known = find_path(self.now.anchor, {"status", "appliedResources"});
  if (self.now.anchor.is_null() || (known ? *known == resources : resources.empty())) return end_round(self, ctx, out);
  document anchor = self.now.anchor;
  anchor["status"]["appliedResources"] = std::move(resources);
  call(self, step::anchor_status,
       {.id = {},
        .verb = cluster_call::verb_kind::replace_status,
        .object = anchor_object(self),
        .body = share(anchor.dump()),
        .uid = {}},
       out);
}

}  // namespace

void begin_removals(work& self, const context& ctx, outbox& out) {
  self.now.removals.clear();
  self.now.at = 0;
  // Nothing counts as unlisted while a manifest could not even be identified (spec 4).
  if (self.now.everything || !self.now.unidentified) {
    for (const auto& a : self.applied)
      if (self.now.everything || !is_listed(self, a)) self.now.removals.push_back(a);
  }
  // Without an anchor there was never an owner reference of ours: nothing out there is ours to remove.
  if (self.anchor.uid.empty()) {
    for (const auto& a : std::vector(self.now.removals)) drop_from_applied(self, a.object);
    self.now.removals.clear();
  }
  // Last in, first out: what depends on others goes before them.
  std::reverse(self.now.removals.begin(), self.now.removals.end());
  remove_next(self, ctx, out);
}

void handle_removal(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (self.now.step == step::remove_write) return handle_removed(self, m, ctx, out);
  if (m.failure) {
    // A kind that the cluster no longer knows has no objects left either.
    if (m.failure->code == errc::not_found || m.failure->code == errc::unsupported)
      return settled_removal(self, ctx, out);
    return fail_removal(self, m.failure->message, ctx, out);
  }
  auto live = parse_json(*m.body);
  if (!live) return fail_removal(self, "the cluster's answer does not parse: " + live.err().message, ctx, out);
  decide_removal(self, *live, m.resource, ctx, out);
}

void handle_release(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  const bool absent = m.failure && m.failure->code == errc::not_found;
  if (m.failure && !absent) {
    self.now.failed = true;  // somebody changed the anchor meanwhile; the next round reads it again
    return end_round(self, ctx, out);
  }
  const bool released_while_deleting = is_deleting(self.now.anchor);
  if (self.now.step == step::anchor_release && !absent && !released_while_deleting)
    return call(self, step::anchor_remove,
                {.id = {},
                 .verb = cluster_call::verb_kind::remove,
                 .object = anchor_object(self),
                 .body = nullptr,
                 .uid = self.anchor.uid},
                out);
  all_gone(self, ctx, out);
}

}  // namespace wh::work_detail
