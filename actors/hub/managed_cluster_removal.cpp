// The cluster goes: add-ons, works, access, then the object itself (spec 6.1).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "actors/hub/cluster_rbac.hpp"
#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/names.hpp"
#include "actors/owners.hpp"
#include "actors/shared/removal.hpp"

namespace wh::cluster_detail {

namespace {

/// What is left is looked at again this often, should its end go unnoticed (ocm: pkg/registration/hub/gc).
constexpr duration removal_retry = std::chrono::seconds(5);
constexpr int priority_max = 100;

/// 0..100, lower first; missing or invalid counts as 0.
int priority_of(const document& doc) {
  const auto text = annotation_of(doc, names::cleanup_priority);
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool sound = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return sound && value >= 0 && value <= priority_max ? value : 0;
}

/// The objects of one kind that are left in the cluster's namespace.
struct remains {
  std::string what;  ///< plural, for people
  std::vector<std::pair<record, document>> objects = {};
};

remains remains_of(const char* resource, const char* what, const managed_cluster& self, const context& ctx) {
  remains left{.what = what};
  for (const auto& r : ctx.data.list({resource, self.name, ""}))
    left.objects.push_back({r, decode_stored(r.key, r.body)});
  return left;
}

int first_priority(const remains& left) {
  int first = priority_max;
  for (const auto& [r, doc] : left.objects) first = std::min(first, priority_of(doc));
  return first;
}

/// An object's finalizers that only the cluster's agents would take away.
void drop_our_finalizers(document& doc) {
  const auto* list = find_path(doc, {"metadata", "finalizers"});
  if (!list || !list->is_array()) return;
  document kept = document::array();
  for (const auto& f : *list) {
    const auto text = f.is_string() ? f.get<std::string>() : std::string();
    if (text.find("open-cluster-management.io/") == std::string::npos) kept.push_back(f);
  }
  doc["metadata"]["finalizers"] = std::move(kept);
}

void mark_deleted(document& doc, instant now) {
  if (is_deleting(doc)) return;
  doc["metadata"]["deletionTimestamp"] = to_rfc3339(now);
  doc["metadata"]["deletionGracePeriodSeconds"] = 0;
}

void delete_addons(const managed_cluster& self, const remains& left, const context& ctx, outbox& out) {
  const int first = first_priority(left);
  for (const auto& [r, doc] : left.objects) {
    if (priority_of(doc) != first) continue;
    document changed = doc;
    if (self.abandoned) drop_our_finalizers(changed);
    if (self.abandoned && changed != doc) {
      mark_deleted(changed, ctx.now);
      const auto* finalizers = find_path(changed, {"metadata", "finalizers"});
      out.writes.preconditions.push_back(at_revision{r.key, r.rev});
      if (finalizers->empty()) out.remove(r.key);
      else out.store(r.key, encode_body(changed));
    } else {
      delete_object(r, doc, hub_owner_of, ctx, out);
    }
  }
}

/// One work: marked, and told to the spoke; gone at once if nothing of it can be out there, or nobody will ever say so.
void delete_work(managed_cluster& self, const std::string& name, const context& ctx, outbox& out) {
  auto& entry = self.works.at(name);
  if (entry.deleting && !self.abandoned) return;
  auto work = draft::open(work_key(self, name), ctx);
  if (!work) return void(self.works.erase(name));
  mark_deleted(work->doc(), ctx.now);
  if (self.abandoned) {
    remove_finalizer(work->doc(), names::work_finalizer);
    entry.finalizer = false;
  }
  const bool news = !entry.deleting;
  entry.deleting = true;
  work->save(out);
  if (work->released()) return void(self.works.erase(name));
  if (news && entry.finalizer && pushes_removals(self)) send_work(self, work->doc(), out);
}

void delete_works(managed_cluster& self, const remains& left, const context& ctx, outbox& out) {
  const int first = first_priority(left);
  for (const auto& [r, doc] : left.objects)
    if (priority_of(doc) == first && self.works.contains(r.key.name)) delete_work(self, r.key.name, ctx, out);
}

/// What remains, named: who deletes a cluster looks here when it takes long.
std::string describe(const remains& left, const managed_cluster& self) {
  constexpr std::size_t named_max = 10;
  std::vector<std::string> named;
  std::size_t pending = 0;
  for (const auto& [r, doc] : left.objects) {
    const auto* finalizers = find_path(doc, {"metadata", "finalizers"});
    pending += finalizers && !finalizers->empty();
    if (named.size() < named_max) named.push_back(r.key.name);
  }
  std::string text = fmt::format(
      "The resource {} is remaining, the remaining count is {}, the finalizer pending count is {}: {}{}.", left.what,
      left.objects.size(), pending, fmt::join(named, ", "), left.objects.size() > named_max ? ", …" : "");
  if (!self.peer && !self.abandoned)
    text += fmt::format(" The cluster is not connected; if it never will be again: whctl detach --force {}", self.name);
  return text;
}

void note_remains(document& cluster, const remains& left, const managed_cluster& self, const context& ctx) {
  set_condition(
      cluster["status"]["conditions"],
      {.type = names::deleting, .status = "False", .reason = "ResourceRemaining", .message = describe(left, self)},
      ctx.now);
}

}  // namespace

void remove_step(managed_cluster& self, const context& ctx, outbox& out) {
  auto cluster = draft::open(cluster_key(self), ctx);
  if (!cluster || !is_deleting(cluster->doc())) return;
  auto left = remains_of(names::cluster_addons, "managedclusteraddons", self, ctx);
  if (!left.objects.empty()) {
    delete_addons(self, left, ctx, out);
  } else {
    left = remains_of(names::manifest_works, "manifestworks", self, ctx);
    delete_works(self, left, ctx, out);
    if (self.works.empty()) left.objects.clear();
  }
  if (!left.objects.empty()) {
    note_remains(cluster->doc(), left, self, ctx);
    cluster->save(out);
    out.log(note_level::info, fmt::format("deletion waits for {} {}", left.objects.size(), left.what));
    return out.wake("removal", removal_retry);
  }
  set_condition(cluster->doc()["status"]["conditions"],
                {.type = names::deleting,
                 .status = "True",
                 .reason = "NoResource",
                 .message = "No cleaned resource in cluster ns."},
                ctx.now);
  remove_cluster_access(self.name, ctx, out);
  remove_finalizer(cluster->doc(), names::cluster_finalizer);
  remove_finalizer(cluster->doc(), names::resources_finalizer);
  cluster_event(self, cluster->doc(),
                {.reason = "ResourceCleanupCompleted",
                 .message = fmt::format("the resources of managed cluster {} are cleaned up", self.name),
                 .warning = false,
                 .action = {}},
                ctx, out);
  cluster->save(out);
  if (cluster->released()) forget_cluster(self, out);
}

void remove_leftovers(managed_cluster& self, const context& ctx, outbox& out) {
  // Without its object nobody may speak for the cluster; of one that left, only what is deleted already may go.
  std::vector<std::string> due;
  for (const auto& [name, entry] : self.works)
    if (!self.exists || entry.deleting) due.push_back(name);
  for (const auto& name : due) {
    auto work = draft::open(work_key(self, name), ctx);
    if (!work) {
      self.works.erase(name);
      continue;
    }
    mark_deleted(work->doc(), ctx.now);
    remove_finalizer(work->doc(), names::work_finalizer);
    work->save(out);
    self.works.at(name).deleting = true;
    self.works.at(name).finalizer = false;
    if (work->released()) self.works.erase(name);
  }
}

}  // namespace wh::cluster_detail
