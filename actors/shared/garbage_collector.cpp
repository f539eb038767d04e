#include "actors/shared/garbage_collector.hpp"

#include <algorithm>

#include "actors/shared/objects.hpp"
#include "actors/shared/removal.hpp"

namespace wh {
namespace {

constexpr duration retry_after = std::chrono::milliseconds(500);
constexpr const char* foreground = "foregroundDeletion";
constexpr const char* orphan = "orphan";

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

/// One batch must not write an object twice; whoever comes second has its turn in the next pass.
bool is_written(const object_key& key, const outbox& out) {
  return std::any_of(out.writes.preconditions.begin(), out.writes.preconditions.end(), [&](const auto& p) {
    const auto* at = std::get_if<at_revision>(&p);
    return at && at->key == key;
  });
}

/// Takes the owner out of the references; false if others remain.
bool erase_reference(document& doc, const std::string& uid) {
  auto& references = doc["metadata"]["ownerReferences"];
  if (!references.is_array()) return false;
  references.erase(std::remove_if(references.begin(), references.end(),
                                  [&](const document& o) { return string_at(o, {"uid"}) == uid; }),
                   references.end());
  return references.empty();
}

enum class without_owner { goes, stays };

void drop_reference(garbage_collector& self, const object_key& key, const std::string& uid, without_owner then,
                    const context& ctx, outbox& out) {
  const auto found = ctx.data.read(key);
  if (!found || found->in_flight || is_written(key, out)) return;
  const record r{key, found->rev, found->body};
  document doc = decode_stored(key, found->body);
  if (!doc["metadata"].contains("ownerReferences")) return;
  const bool last = erase_reference(doc, uid);
  if (last && then == without_owner::goes) return delete_object(r, doc, self.owners, ctx, out);
  if (last) doc["metadata"].erase("ownerReferences");
  replace_object(r, doc, self.owners, ctx, out);
}

// --- owners that wait for their dependents ---------------------------------------------------------------------------

bool waits_for_dependents(const document& doc) {
  return is_deleting(doc) && (has_finalizer(doc, foreground) || has_finalizer(doc, orphan));
}

/// What keeps an object from going besides its own finalizers.
bool is_held(const object_key& key, const document& doc) {
  const auto some = [](const document* list) { return list && !list->empty(); };
  return some(find_path(doc, {"metadata", "finalizers"})) ||
         (key.resource == "namespaces" && some(find_path(doc, {"spec", "finalizers"})));
}

void release(garbage_collector& self, const record& r, document doc, const char* finalizer, const context& ctx,
             outbox& out) {
  if (is_written(r.key, out)) return;
  remove_finalizer(doc, finalizer);
  if (is_held(r.key, doc)) return replace_object(r, doc, self.owners, ctx, out);
  delete_object(r, doc, self.owners, ctx, out);
}

/// Whether a dependent keeps its owner. One that waits for a waiting object itself does not, lest a circle wait for ever.
bool blocks(const garbage_collector& self, const document& dependent, const std::string& owner) {
  const auto* references = find_path(dependent, {"metadata", "ownerReferences"});
  if (!references || !references->is_array()) return false;
  const bool asked = std::any_of(references->begin(), references->end(), [&](const document& o) {
    return string_at(o, {"uid"}) == owner && bool_at(o, {"blockOwnerDeletion"}, false);
  });
  if (!asked) return false;
  const auto own = self.dependents.find(std::string(uid_of(dependent)));
  if (own == self.dependents.end()) return true;
  return std::none_of(self.waiting.begin(), self.waiting.end(),
                      [&](const auto& w) { return own->second.contains(w.second); });
}

/// Deletes a dependent for its owner's sake, and its own dependents before it.
void delete_dependent(garbage_collector& self, const record& r, document doc, const context& ctx, outbox& out) {
  if (is_deleting(doc) || is_written(r.key, out)) return;
  if (self.dependents.contains(std::string(uid_of(doc)))) add_finalizer(doc, foreground);
  delete_object(r, doc, self.owners, ctx, out);
}

/// True while a dependent blocks the owner. Those that have another owner lose the reference, the others are deleted.
bool delete_blocking(garbage_collector& self, const std::string& uid, const context& ctx, outbox& out) {
  bool blocked = false;
  const auto set = self.dependents.find(uid);
  if (set == self.dependents.end()) return false;
  for (const auto& key : set->second) {
    const auto found = ctx.data.read(key);
    if (!found) continue;
    const auto doc = decode_stored(key, found->body);
    if (!blocks(self, doc, uid)) continue;
    blocked = true;
    if (found->in_flight) continue;
    if (doc["metadata"]["ownerReferences"].size() > 1) drop_reference(self, key, uid, without_owner::goes, ctx, out);
    else delete_dependent(self, {key, found->rev, found->body}, doc, ctx, out);
  }
  return blocked;
}

/// True while dependents still name the owner.
bool orphan_dependents(garbage_collector& self, const std::string& uid, const context& ctx, outbox& out) {
  const auto set = self.dependents.find(uid);
  if (set == self.dependents.end()) return false;
  for (const auto& key : set->second) drop_reference(self, key, uid, without_owner::stays, ctx, out);
  return true;
}

/// Moves one waiting owner on. False when it waits no longer.
bool serve_waiting(garbage_collector& self, const std::string& uid, const object_key& key, const context& ctx,
                   outbox& out) {
  const auto found = ctx.data.read(key);
  if (!found) return false;
  if (found->in_flight) return true;
  const auto doc = decode_stored(key, found->body);
  if (uid_of(doc) != uid || !waits_for_dependents(doc)) return false;
  const bool orphans = has_finalizer(doc, orphan);
  if (!(orphans ? orphan_dependents(self, uid, ctx, out) : delete_blocking(self, uid, ctx, out)))
    release(self, {key, found->rev, found->body}, doc, orphans ? orphan : foreground, ctx, out);
  return true;
}

void note_waiting(garbage_collector& self, const object_key& key, const document& doc) {
  if (waits_for_dependents(doc)) self.waiting[std::string(uid_of(doc))] = key;
}

// --- all that is to be done ------------------------------------------------------------------------------------------

/// Handles what is due; looks again until the changes have come back through the feed.
void collect(garbage_collector& self, const context& ctx, outbox& out) {
  std::erase_if(self.due, [&](const std::string& uid) { return !self.dependents.contains(uid); });
  for (const auto& uid : self.due)
    for (const auto& key : self.dependents.at(uid)) drop_reference(self, key, uid, without_owner::goes, ctx, out);
  std::erase_if(self.waiting, [&](const auto& w) { return !serve_waiting(self, w.first, w.second, ctx, out); });
  if (!self.due.empty() || !self.waiting.empty()) out.wake("collect", retry_after);
}

}  // namespace

bool concerns_garbage_collector(const change& c) {
  if (!c.body) return true;
  if (c.in_memory) return false;
  const auto has = [](const shared_bytes& body, const char* mark) {
    return body && body->find(mark) != std::string::npos;
  };
  constexpr const char* references = "\"ownerReferences\":[";
  return has(c.body, references) || has(c.previous, references) || has(c.body, "\"foregroundDeletion\"") ||
         has(c.body, "\"orphan\"");
}

void restore(garbage_collector& self, const context& ctx, outbox& out) {
  std::set<std::string> alive;
  for (const auto& resource : self.resources())
    for (const auto& r : ctx.data.list({resource, "", ""})) {
      const auto doc = decode_stored(r.key, r.body);
      alive.emplace(uid_of(doc));
      index(self, r.key, doc);
      note_waiting(self, r.key, doc);
    }
  // Owners that went while nobody watched.
  for (const auto& [uid, keys] : self.dependents)
    if (!alive.contains(uid)) self.due.insert(uid);
  collect(self, ctx, out);
}

void on(garbage_collector& self, const object_changed& m, const context&, outbox& out) {
  if (m.what.body) {
    const auto doc = decode_stored(m.what.key, m.what.body);
    index(self, m.what.key, doc);
    note_waiting(self, m.what.key, doc);
    if (!self.waiting.empty()) out.wake("collect", duration{0});
    return;
  }
  unindex(self, m.what.key);
  if (!self.waiting.empty()) out.wake("collect", duration{0});
  if (!m.what.previous) return;
  const std::string uid(uid_of(decode_stored(m.what.key, m.what.previous)));
  if (!self.dependents.contains(uid)) return;
  self.due.insert(uid);
  out.wake("collect", duration{0});
}

void on(garbage_collector& self, const timer_fired&, const context& ctx, outbox& out) { collect(self, ctx, out); }

void on(garbage_collector&, const admit_reply&, const context&, outbox&) {}  // seen through the feed

}  // namespace wh
