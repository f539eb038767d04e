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

void add_lease(managed_cluster& self, const context& ctx, outbox& out) {
  const object_key key{names::leases, self.name, names::cluster_lease};
  if (ctx.data.read(key)) return;
  document lease = new_object(ctx, "coordination.k8s.io/v1", "Lease", self.name, names::cluster_lease);
  lease["metadata"].erase("generation");
  lease["metadata"]["labels"] = {{names::cluster_name_label, self.name}};
  lease["spec"] = {{"holderIdentity", names::cluster_lease},
                   {"leaseDurationSeconds", std::chrono::duration_cast<std::chrono::seconds>(self.lease).count()},
                   {"renewTime", to_rfc3339_micro(ctx.now)}};
  self.lease_uid = uid_of(lease);
  out.store(key, encode_body(lease));
}

/// Everything that acceptance brings, in the one batch that makes it true.
void accept_cluster(managed_cluster& self, document& doc, const context& ctx, outbox& out) {
  add_finalizer(doc, names::cluster_finalizer);
  set_condition(doc["status"]["conditions"],
                {.type = names::hub_accepted,
                 .status = "True",
                 .reason = "HubClusterAdminAccepted",
                 .message = "Accepted by hub cluster admin"},
                ctx.now);
  grant_cluster_access(self.name, ctx, out);
  add_lease(self, ctx, out);
  self.renewed = ctx.now;
  out.log(note_level::info, "accepted");
}

void deny_cluster(managed_cluster& self, document& doc, const context& ctx, outbox& out) {
  set_condition(doc["status"]["conditions"],
                {.type = names::hub_accepted,
                 .status = "False",
                 .reason = "HubClusterAdminDenied",
                 .message = "Denied by hub cluster admin"},
                ctx.now);
  reduce_cluster_access(self.name, self.works.empty(), ctx, out);
  out.log(note_level::warning, "denied");
}

bool namespace_terminating(const managed_cluster& self, const context& ctx) {
  const object_key ns{names::namespaces, "", self.name};
  const auto existing = ctx.data.read(ns);
  return existing && is_deleting(decode_stored(ns, existing->body));
}

void admit_cluster(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  if (!m.body) {
    remove_cluster_access(self.name, ctx, out);
    forget_cluster(self, out);
    return admit(m, ctx, out);
  }
  const bool was_accepted = self.exists && self.accepted;
  const bool was_deleting = self.exists && self.deleting;
  const auto old_lease = self.lease;
  document doc = decode_stored(m.key, m.body);
  set_managed_namespaces(doc, self.namespaces);  // agents write its conditions, and a stale copy of the list with them
  if (auto problem = cluster_name_problem(self.name); !problem.empty() && !was_deleting && !is_deleting(doc))
    return refuse(m, {errc::invalid, std::move(problem)}, ctx, out);
  if (!was_accepted && bool_at(doc, {"spec", "hubAcceptsClient"}, false) && namespace_terminating(self, ctx))
    return refuse(
        m, {errc::invalid, fmt::format("namespace {} is terminating: accept the cluster once it is gone", self.name)},
        ctx, out);
  note_cluster(self, doc);
  if (self.accepted && !was_accepted) {
    accept_cluster(self, doc, ctx, out);
  } else if (!self.accepted && was_accepted) {
    deny_cluster(self, doc, ctx, out);
  }
  if (self.deleting && !was_deleting) out.log(note_level::info, "deletion requested");
  replace_put(out, m.key, doc);
  if (self.accepted != was_accepted || self.lease != old_lease) {
    send_welcome(self, ctx, out);
    arm_grace(self, ctx, out);
  }
  admit(m, ctx, out);
  // The works' deletion follows in a batch of its own: it may be large, and the user's request must not wait for it.
  if (self.deleting) out.wake("removal", duration{0});
}

void admit_work(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  const auto known = self.works.find(m.key.name);
  if (!m.body) {
    if (known != self.works.end()) {
      if (pushes(self)) tell_spoke(self, work_unknown{m.key.name, known->second.uid}, out);
      self.works.erase(known);
    }
    if (self.deleting) out.wake("removal", duration{0});
    return admit(m, ctx, out);
  }
  document doc = decode_stored(m.key, m.body);
  const auto before = known == self.works.end() ? managed_cluster::work_entry{} : known->second;
  auto entry = entry_of(doc);
  const bool changed = entry.uid != before.uid || entry.gen != before.gen || entry.deleting != before.deleting;
  if (pushes(self) && changed && (!entry.deleting || entry.finalizer)) {
    if (!entry.finalizer) {
      // What the spoke may hold must not vanish here before the spoke has cleaned up.
      add_finalizer(doc, names::work_finalizer);
      replace_put(out, m.key, doc);
      entry.finalizer = true;
    }
    send_work(self, doc, out);
  }
  self.works[m.key.name] = entry;
  admit(m, ctx, out);
}

void admit_lease(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out) {
  if (m.body) {
    const auto doc = decode_stored(m.key, m.body);
    self.lease_uid = uid_of(doc);
    // An agent that works through REST renews here.
    self.renewed = ctx.now;
  } else {
    self.lease_uid.clear();
  }
  admit(m, ctx, out);
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
