// Owners over plain writes, and what apply shares with them.
#include <algorithm>

#include "resources/apply/internal/owners.hpp"

namespace wh::apply {

namespace internal {

namespace {

bool written(const std::string& field, const write_scope& scope) {
  return scope.only.empty() ? !scope.ignored.contains(field) : field == scope.only;
}

const field_set& never_owned() {
  static const field_set out = [] {
    field_set s;
    for (const char* name : {"apiVersion", "kind", "metadata"}) s.insert({path_element::field(name)});
    for (const char* name : {"name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                             "managedFields", "resourceVersion"})
      s.insert({path_element::field("metadata"), path_element::field(name)});
    return s;
  }();
  return out;
}

}  // namespace

document without_owners(document object) {
  if (auto meta = object.find("metadata"); object.is_object() && meta != object.end() && meta->is_object())
    meta->erase("managedFields");
  return object;
}

field_set in_scope(const field_set& s, const write_scope& scope) {
  field_set out;
  for (const auto& m : s.members)
    if (written(m.name, scope)) out.members.push_back(m);
  for (const auto& c : s.children)
    if (written(c.at.name, scope)) out.children.push_back(c);
  return out;
}

field_set trackable(const field_set& s) { return difference_of(s, never_owned()); }

place root_of(const std::string& api_version, const write_scope& scope) {
  const auto* structure = scope.shapes ? scope.shapes->structure(api_version) : nullptr;
  return {&(structure ? structure : scope.structure)->root()};
}

document in_version(const document& object, const std::string& api_version, const write_scope& scope) {
  if (!scope.shapes || api_version == scope.api_version || !object.is_object()) return object;
  return scope.shapes->convert(object, scope.api_version, api_version);
}

document from_version(const document& object, const std::string& api_version, const write_scope& scope) {
  if (!scope.shapes || api_version == scope.api_version || !object.is_object()) return object;
  return scope.shapes->convert(object, api_version, scope.api_version);
}

const std::string& shape_of(const ownership& o, const write_scope& scope) {
  return scope.shapes ? o.api_version : scope.api_version;
}

const changes::seen& changes::look(const std::string& api_version) {
  if (const auto known = by_version_.find(api_version); known != by_version_.end()) return known->second;
  const auto root = root_of(api_version, scope_);
  const bool same_shape = !scope_.shapes || api_version == scope_.api_version;  // nearly always: nothing is copied
  const auto all =
      same_shape ? compare(before_, after_, root)
                 : compare(in_version(before_, api_version, scope_), in_version(after_, api_version, scope_), root);
  auto& out = by_version_[api_version];
  out.change = {in_scope(all.removed, scope_), in_scope(all.modified, scope_), in_scope(all.added, scope_)};
  out.touched = union_of(out.change.modified, out.change.added);
  out.lost = union_of(out.touched, out.change.removed);
  return out;
}

const comparison& changes::in(const std::string& api_version) { return look(api_version).change; }
const field_set& changes::touched(const ownership& o) { return look(shape_of(o, scope_)).touched; }
const field_set& changes::lost(const ownership& o) { return look(shape_of(o, scope_)).lost; }

void modernize(managers& owners, const write_scope& scope) {
  if (scope.is_served) std::erase_if(owners, [&](const auto& o) { return !scope.is_served(o.second.api_version); });
  for (auto& [id, o] : owners) o.fields = reconciled(o.fields, root_of(shape_of(o, scope), scope));
}

managers taken_by(changes& all, const managers& owners, const manager_id& self) {
  managers out;
  for (const auto& [id, o] : owners) {
    if (id == self) continue;
    auto lost = intersection_of(o.fields, all.touched(o));
    if (!lost.empty()) out[id] = {std::move(lost), o.api_version, ""};
  }
  return out;
}

void give_up(managers& owners, changes& all, const manager_id* self) {
  bool anything = false;
  for (auto& [id, o] : owners) {
    if (self && id == *self) continue;
    const auto& lost = all.lost(o);
    if (lost.empty()) continue;
    o.fields = difference_of(o.fields, lost);
    anything = true;
  }
  if (!anything) return;
  std::erase_if(owners, [&](const auto& o) { return o.second.fields.empty() && !(self && o.first == *self); });
}

}  // namespace internal

namespace {

using operation = manager_id::operation_type;

constexpr const char* old_updaters = "ancient-changes";

/// An object of a built-in kind always has its parts, be they empty: having written in one does not make it yours.
document beginning_of(const document& after, const place& root) {
  document out = document::object();
  if (!root.node || !root.node->drop_null) return out;
  for (const char* part : {"metadata", "spec", "status"})
    if (after.contains(part) && after[part].is_object()) out[part] = document::object();
  return out;
}

/// Unites the oldest updaters until there are few enough.
void cap_updaters(managers& owners) {
  std::vector<manager_id> updaters;
  for (const auto& [id, o] : owners)
    if (id.operation == operation::update) updaters.push_back(id);
  if (updaters.size() <= updaters_max) return;
  std::stable_sort(updaters.begin(), updaters.end(),
                   [&](const auto& a, const auto& b) { return owners[a].time < owners[b].time; });
  auto left = updaters.size();
  std::map<std::string, manager_id> first;  // the oldest of each version, which starts the version's bucket
  for (std::size_t i = 0; i < updaters.size() && left > updaters_max; ++i) {
    const auto& id = updaters[i];
    const auto known = first.find(id.api_version);
    if (known == first.end()) {
      first[id.api_version] = id;
      continue;
    }
    const manager_id bucket{old_updaters, operation::update, id.api_version, ""};
    if (!owners.contains(bucket)) {
      auto moved = owners.extract(known->second);
      moved.key() = bucket;
      owners.insert(std::move(moved));
    }
    if (id == bucket) continue;
    auto& all = owners[bucket];
    all.fields = union_of(all.fields, owners[id].fields);
    all.time = owners[id].time;
    owners.erase(id);
    --left;
  }
}

}  // namespace

managers track_update(const document& before, const document& after, managers owners, const std::string& manager,
                      const write_scope& scope) {
  internal::modernize(owners, scope);
  const auto now = internal::without_owners(after);
  const auto was =
      before.is_object() ? internal::without_owners(before) : beginning_of(now, {&scope.structure->root()});
  internal::changes all(was, now, scope);
  internal::give_up(owners, all, nullptr);
  const auto& change = all.in(scope.api_version);
  auto won = internal::trackable(union_of(change.modified, change.added));
  if (!won.empty()) {
    auto& own = owners[{manager, operation::update, scope.api_version, scope.subresource}];
    own = {union_of(own.fields, won), scope.api_version, to_rfc3339(scope.now)};
  }
  cap_updaters(owners);
  return owners;
}

}  // namespace wh::apply
