// Writes through REST that the managed cluster decides about.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/cluster_rbac.hpp"
#include "actors/hub/gatekeeper.hpp"
#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"

namespace wh {

using namespace cluster_detail;

namespace {

void refuse(const admit_write& m, error why, const context& ctx, outbox& out) {
  out.writes = {};
  out.send(ctx.from, admit_reply{.id = m.id, .failure = std::move(why), .put_index = -1, .body = nullptr});
}

void admit(const admit_write& m, const context& ctx, outbox& out) {
  const auto it =
      std::find_if(out.writes.puts.begin(), out.writes.puts.end(), [&](const put& p) { return p.key == m.key; });
  const bool stored = it != out.writes.puts.end();
  out.send(ctx.from, admit_reply{.id = m.id,
                                 .failure = {},
                                 .put_index = stored ? static_cast<int>(it - out.writes.puts.begin()) : -1,
                                 .body = stored ? it->body : nullptr});
}

/// The proposal was computed on this version of the object, and nothing of ours is on its way to replace it.
bool is_current(const admit_write& m, const context& ctx) {
  const auto now = ctx.data.read(m.key);
  if (m.verb == admit_write::verb_kind::create) return !now;
  return now && !now->in_flight && now->rev == m.old_rev;
}

/// The store checks again with the commit; this answer spares the actor a reload for a user's mistake.
std::optional<error> namespace_problem(const admit_write& m, const context& ctx) {
  for (const auto& p : m.proposed.preconditions) {
    const auto* needed = std::get_if<namespace_active>(&p);
    if (!needed) continue;
    const object_key key{names::namespaces, "", needed->ns};
    const auto ns = ctx.data.read(key);
    if (!ns) return error{errc::not_found, fmt::format("namespaces \"{}\" not found", needed->ns)};
    if (is_deleting(decode_stored(key, ns->body)))
      return error{
          errc::forbidden,
          fmt::format("unable to create new content in namespace {} because it is being terminated", needed->ns)};
  }
  return std::nullopt;
}

void replace_put(outbox& out, const object_key& key, const document& doc) {
  for (auto& p : out.writes.puts)
    if (p.key == key) p.body = encode_body(doc);
}

/// What a write of the ManagedCluster brings about beyond itself.
void follow_up(managed_cluster& self, const managed_cluster& before, document& doc, const context& ctx, outbox& out) {
  if (self.accepted && !before.accepted) accept_cluster(self, doc, ctx, out);
  else if (!self.accepted && before.accepted) deny_cluster(self, doc, ctx, out);
  if (is_revoked(self) && !is_revoked(before)) revoke_until_now(self, doc, ctx.now);
  if (!self.deleting) add_finalizer(doc, names::resources_finalizer);
  if (self.deleting && !before.deleting) out.log(note_level::info, "deletion requested");
  settle(before, doc, ctx, out);
}

/// And what the spoke is told of it.
void pass_on(managed_cluster& self, const managed_cluster& before, const context& ctx, outbox& out) {
  if (is_revoked(self) && !is_revoked(before))
    dismiss(
        self, errc::forbidden,
        "the certificate was revoked on the hub: join again with a new data folder and a token from: whctl get token",
        out);
  if (self.accepted == before.accepted && self.lease == before.lease) return;
  if (self.accepted != before.accepted && self.peer) self.peer->synced = false;
  send_welcome(self, ctx, out);
  arm_grace(self, ctx, out);
}

void admit_cluster(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  if (!m.body) {
    remove_cluster_access(self.name, ctx, out);
    forget_cluster(self, out);
    return admit(m, ctx, out);
  }
  document doc = decode_stored(m.key, m.body);
  set_managed_namespaces(doc, self.namespaces);  // agents write its conditions, and a stale copy of the list with them
  const bool was_accepted = self.exists && self.accepted;
  if (auto problem = cluster_name_problem(self.name); !problem.empty() && !self.deleting && !is_deleting(doc))
    return refuse(m, {errc::invalid, std::move(problem)}, ctx, out);
  if (!was_accepted && bool_at(doc, {"spec", "hubAcceptsClient"}, false) && namespace_terminating(self, ctx))
    return refuse(
        m, {errc::invalid, fmt::format("namespace {} is terminating: accept the cluster once it is gone", self.name)},
        ctx, out);
  const auto before = self;
  const auto stored = ctx.data.read(m.key);
  const auto old_gen = stored ? generation_of(decode_stored(m.key, stored->body)) : generation{};
  const document spec = doc.value("spec", document());
  note_cluster(self, doc);
  follow_up(self, before, doc, ctx, out);
  // The server has counted a change of the user's; ours alone counts, too.
  if (generation_of(doc) == old_gen && doc.value("spec", document()) != spec)
    doc["metadata"]["generation"] = old_gen.get() + 1;
  note_cluster(self, doc);
  replace_put(out, m.key, doc);
  pass_on(self, before, ctx, out);
  admit(m, ctx, out);
  // Deletions follow in batches of their own: they may be large, and the user's request must not wait for them.
  if (self.deleting) out.wake("removal", duration{0});
}

/// A user of a restored hub has decided about a work of which the spoke holds more than this hub knows: from here on it
/// is the hub's again, under a generation that was never given out.
void end_behind(document& doc, managed_cluster::work_entry& entry, const managed_cluster::work_entry& before) {
  const bool decided = entry.behind != before.behind || entry.gen != before.gen || entry.deleting;
  if (before.behind == generation{} || !decided) return;
  doc["metadata"]["annotations"].erase(names::behind_annotation);
  doc["metadata"]["generation"] = std::max(before.behind.get(), entry.gen.get()) + 1;
  entry.gen = generation_of(doc);
  entry.behind = {};
}

void admit_work(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  const auto known = self.works.find(m.key.name);
  if (!m.body) {
    if (known != self.works.end()) {
      if (pushes(self)) tell_spoke(self, work_unknown{m.key.name, known->second.uid}, out);
      self.works.erase(known);
    }
    after_work_gone(self, out);
    return admit(m, ctx, out);
  }
  document doc = decode_stored(m.key, m.body);
  const auto before = known == self.works.end() ? managed_cluster::work_entry{} : known->second;
  auto entry = entry_of(doc);
  end_behind(doc, entry, before);
  const bool changed = entry.uid != before.uid || entry.gen != before.gen || entry.deleting != before.deleting;
  const bool passes = entry.deleting ? pushes_removals(self) && entry.finalizer : pushes(self);
  if (passes && changed && entry.behind == generation{}) {
    // What the spoke may hold must not vanish here before the spoke has cleaned up.
    add_finalizer(doc, names::work_finalizer);
    entry.finalizer = true;
    send_work(self, doc, out);
  }
  replace_put(out, m.key, doc);
  self.works[m.key.name] = entry;
  admit(m, ctx, out);
  if (self.abandoned && entry.deleting && entry.finalizer) out.wake("leftovers", duration{0});
}

void admit_lease(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  admit(m, ctx, out);
  if (!m.body) {
    self.lease_uid.clear();
    return out.wake("access", duration{0});
  }
  const auto doc = decode_stored(m.key, m.body);
  self.lease_uid = uid_of(doc);
  // An agent that works through REST renews here, and by its own clock, as in OCM; the hub's is the limit.
  const auto renewed = parse_rfc3339(string_at(doc, {"spec", "renewTime"}));
  if (!renewed) return;
  self.renewed = std::min(*renewed, ctx.now);
  arm_grace(self, ctx, out);
  self.clock_shown = *renewed;
  // Not in this batch: a renewal may be one that is kept in memory alone.
  if (self.exists && self.accepted) out.wake("clock", duration{0});
}

}  // namespace

void on(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  out.writes = m.proposed;
  if (!is_current(m, ctx)) {
    const bool create = m.verb == admit_write::verb_kind::create;
    return refuse(m, {create ? errc::already_exists : errc::conflict, to_string(m.key) + " has changed meanwhile"}, ctx,
                  out);
  }
  if (auto problem = namespace_problem(m, ctx)) return refuse(m, std::move(*problem), ctx, out);
  if (m.key.resource == names::managed_clusters) return admit_cluster(self, m, ctx, out);
  if (m.key.resource == names::manifest_works) return admit_work(self, m, ctx, out);
  if (m.key.resource == names::leases) return admit_lease(self, m, ctx, out);
  refuse(m, {errc::internal, to_string(m.key) + " is not decided by a managed cluster"}, ctx, out);
}

}  // namespace wh
