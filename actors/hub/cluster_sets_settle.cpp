// What cluster_sets writes and sends.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/cluster_sets_detail.hpp"
#include "actors/names.hpp"

namespace wh::sets_detail {
namespace {

/// Objects in one batch: a hub that starts after an upgrade may have thousands of bindings to write.
constexpr std::size_t batch_max = 256;

condition empty_condition(std::size_t members) {
  if (members == 0)
    return {.type = names::cluster_set_empty,
            .status = "True",
            .reason = "NoClusterMatched",
            .message = "No ManagedCluster selected"};
  return {.type = names::cluster_set_empty,
          .status = "False",
          .reason = "ClustersSelected",
          .message = fmt::format("{} ManagedClusters selected", members)};
}

condition bound_condition(bool is_there) {
  return {.type = names::bound,
          .status = is_there ? "True" : "False",
          .reason = is_there ? "ClusterSetBound" : "ClusterSetNotFound",
          .message = ""};
}

bool has_condition(const document& doc, const condition& wanted) {
  const auto* conditions = find_path(doc, {"status", "conditions"});
  const auto* had = conditions ? find_condition(*conditions, wanted.type) : nullptr;
  return had && string_at(*had, {"status"}) == wanted.status && string_at(*had, {"reason"}) == wanted.reason &&
         string_at(*had, {"message"}) == wanted.message;
}

/// Anybody may write these objects: a version that has changed meanwhile must not be overwritten. The write then fails,
/// and the actor starts over from what is stored.
void save_unchanged(const draft& object, outbox& out) {
  if (object.save(out)) out.writes.preconditions.push_back(at_revision{object.key(), object.rev()});
}

bool writes(const outbox& out, const object_key& key) {
  return std::any_of(out.writes.puts.begin(), out.writes.puts.end(), [&](const put& p) { return p.key == key; });
}

/// Writes the condition. False: the object is being written otherwise, look again.
bool write_condition(const object_key& key, const condition& wanted, const context& ctx, outbox& out) {
  if (writes(out, key)) return false;
  auto object = draft::open(key, ctx);
  if (!object || is_deleting(object->doc())) return true;
  if (object->in_flight()) return false;
  set_condition(object->doc()["status"]["conditions"], wanted, ctx.now);
  save_unchanged(*object, out);
  return true;
}

void tell_cluster(cluster_sets& self, const std::string& name, outbox& out) {
  const auto it = self.clusters.find(name);
  // A cluster that goes keeps what it has: its works may live in these namespaces.
  if (it == self.clusters.end() || it->second.deleting) return;
  auto wanted = namespaces_of(self, it->second);
  if (wanted == it->second.told) return;
  it->second.told = wanted;
  out.send({actor_kind::managed_cluster, name}, namespaces_due{std::move(wanted)});
}

/// Takes entries out of `due` while `write` succeeds and the batch has room; what failed stays.
template <class Due, class Write>
void drain(Due& due, const outbox& out, const Write& write) {
  for (auto it = due.begin(); it != due.end() && out.writes.puts.size() < batch_max;)
    it = write(*it) ? due.erase(it) : std::next(it);
}

}  // namespace

bool condition_is_current(const cluster_sets::cluster_set& set, const document& doc) {
  return has_condition(doc, empty_condition(set.members));
}

bool binding_is_current(const cluster_sets& self, const document& doc) {
  return has_condition(doc, bound_condition(self.sets.contains(std::string(name_of(doc)))));
}

std::vector<managed_namespace> namespaces_of(const cluster_sets& self, const cluster_sets::cluster& c) {
  std::vector<managed_namespace> out;
  for (const auto& name : c.sets) {
    const auto& set = self.sets.at(name);
    if (set.deleting) continue;
    for (const auto& ns : set.namespaces) out.push_back({name, ns});
  }
  return out;
}

void settle_later(cluster_sets& self, outbox& out) {
  if (self.settling) return;
  self.settling = true;
  out.wake("settle", settle_after);
}

void settle(cluster_sets& self, const context& ctx, outbox& out) {
  self.settling = false;
  if (self.due_keep) self.due_keep = !keep_sets(self, ctx, out);
  for (const auto& name : self.due_clusters) tell_cluster(self, name, out);
  self.due_clusters.clear();
  drain(self.due_sets, out, [&](const std::string& name) {
    const auto it = self.sets.find(name);
    return it == self.sets.end() ||
           write_condition({names::cluster_sets, "", name}, empty_condition(it->second.members), ctx, out);
  });
  drain(self.due_bindings, out, [&](const auto& binding) {
    const auto& [ns, name] = binding;
    return write_condition({names::cluster_set_bindings, ns, name}, bound_condition(self.sets.contains(name)), ctx,
                           out);
  });
  if (self.due_keep || !self.due_sets.empty() || !self.due_bindings.empty()) settle_later(self, out);
}

}  // namespace wh::sets_detail
