#include "actors/shared/garbage_collector.hpp"

#include <algorithm>

#include "actors/shared/objects.hpp"
#include "actors/shared/removal.hpp"

namespace wh {
namespace {

constexpr duration retry_after = std::chrono::milliseconds(500);

std::vector<std::string> owner_uids(const document& doc) {
  std::vector<std::string> uids;
  const document* references = find_path(doc, {"metadata", "ownerReferences"});
  if (references && references->is_array())
    for (const auto& r : *references) uids.emplace_back(string_at(r, {"uid"}));
  return uids;
}

void unindex(garbage_collector& self, const object_key& key) {
  const auto it = self.owned_by.find(key);
  if (it == self.owned_by.end()) return;
  for (const auto& uid : it->second) {
    auto set = self.dependents.find(uid);
    if (set == self.dependents.end()) continue;
    set->second.erase(key);
    if (set->second.empty()) self.dependents.erase(set);
  }
  self.owned_by.erase(it);
}

void index(garbage_collector& self, const object_key& key, const document& doc) {
  unindex(self, key);
  auto uids = owner_uids(doc);
  if (uids.empty()) return;
  for (const auto& uid : uids) self.dependents[uid].insert(key);
  self.owned_by[key] = std::move(uids);
}

void drop_reference(garbage_collector& self, const object_key& key, const std::string& uid, const context& ctx,
                    outbox& out) {
  const auto found = ctx.data.read(key);
  if (!found || found->in_flight) return;
  const record r{key, found->rev, found->body};
  document doc = decode_stored(key, found->body);
  auto& references = doc["metadata"]["ownerReferences"];
  if (!references.is_array()) return;
  references.erase(std::remove_if(references.begin(), references.end(),
                                  [&](const document& o) { return string_at(o, {"uid"}) == uid; }),
                   references.end());
  if (references.empty()) return delete_object(r, doc, self.owners, ctx, out);
  replace_object(r, doc, self.owners, ctx, out);
}

/// Handles what is due; looks again until the changes have come back through the feed.
void collect(garbage_collector& self, const context& ctx, outbox& out) {
  std::erase_if(self.due, [&](const std::string& uid) { return !self.dependents.contains(uid); });
  for (const auto& uid : self.due)
    for (const auto& key : self.dependents.at(uid)) {
      // One batch must not write an object twice; a dependent of two removed owners has its turn in the next pass.
      const bool written =
          std::any_of(out.writes.preconditions.begin(), out.writes.preconditions.end(), [&](const auto& p) {
            const auto* at = std::get_if<at_revision>(&p);
            return at && at->key == key;
          });
      if (!written) drop_reference(self, key, uid, ctx, out);
    }
  if (!self.due.empty()) out.wake("collect", retry_after);
}

}  // namespace

bool concerns_garbage_collector(const change& c) {
  if (!c.body) return true;
  if (c.in_memory) return false;
  constexpr const char* mark = "\"ownerReferences\":[";
  return c.body->find(mark) != std::string::npos || (c.previous && c.previous->find(mark) != std::string::npos);
}

void restore(garbage_collector& self, const context& ctx, outbox& out) {
  std::set<std::string> alive;
  for (const auto& resource : self.resources())
    for (const auto& r : ctx.data.list({resource, "", ""})) {
      const auto doc = decode_stored(r.key, r.body);
      alive.emplace(uid_of(doc));
      index(self, r.key, doc);
    }
  // Owners that went while nobody watched.
  for (const auto& [uid, keys] : self.dependents)
    if (!alive.contains(uid)) self.due.insert(uid);
  collect(self, ctx, out);
}

void on(garbage_collector& self, const object_changed& m, const context&, outbox& out) {
  if (m.what.body) return index(self, m.what.key, decode_stored(m.what.key, m.what.body));
  unindex(self, m.what.key);
  if (!m.what.previous) return;
  const std::string uid(uid_of(decode_stored(m.what.key, m.what.previous)));
  if (!self.dependents.contains(uid)) return;
  self.due.insert(uid);
  out.wake("collect", duration{0});
}

void on(garbage_collector& self, const timer_fired&, const context& ctx, outbox& out) { collect(self, ctx, out); }

void on(garbage_collector&, const admit_reply&, const context&, outbox&) {}  // seen through the feed

}  // namespace wh
