#include "resources/apply/apply.hpp"

#include <algorithm>

#include "resources/apply/internal/owners.hpp"
#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

using operation = manager_id::operation_type;

constexpr const char* first_manager = "before-first-apply";

/// Fields that are to go from a merged object, and the version that they are named in.
struct forsaken_fields {
  field_set fields;
  std::string api_version;
};

/// What everybody owns, by the version that it is owned in.
std::map<std::string, field_set> owned_by_version(const managers& owners, const write_scope& scope) {
  std::map<std::string, field_set> out;
  for (const auto& [id, o] : owners) {
    auto& all = out[internal::shape_of(o, scope)];
    all = union_of(all, o.fields);
  }
  return out;
}

/// The manager's former fields that it applies no more and nobody else owns: what is to go from the merged object.
forsaken_fields forsaken(const document& merged, const ownership& last, const managers& owners,
                         const write_scope& scope) {
  forsaken_fields out{{}, internal::shape_of(last, scope)};
  if (last.fields.empty()) return out;
  const auto root = internal::root_of(out.api_version, scope);
  const auto whole = internal::in_version(merged, out.api_version, scope);
  const auto former = with_named_fields(last.fields, root);
  // Removing a field removes what is in it: that comes back if it is owned …
  auto kept = internal::from_version(remove_fields(whole, former, root, emptied::stay), out.api_version, scope);
  for (const auto& [version, fields] : owned_by_version(owners, scope)) {
    const auto at = internal::root_of(version, scope);
    const auto there = internal::in_version(merged, version, scope);
    const auto left = with_named_fields(fields_of(internal::in_version(kept, version, scope), at), at);
    const auto stays = union_of(left, with_named_fields(fields, at));
    const auto goes = difference_of(with_named_fields(fields_of(there, at), at), stays);
    kept = internal::from_version(remove_fields(there, goes, at, emptied::stay), version, scope);
  }
  // … or if the manager never applied it.
  const auto left = with_named_fields(fields_of(internal::in_version(kept, out.api_version, scope), root), root);
  const auto present = with_named_fields(fields_of(whole, root), root);
  out.fields = intersection_of(difference_of(present, left), former);
  return out;
}

/// Takes fields out of a merged object, but not a map or list that is applied empty.
result<document> prune(const document& merged, const forsaken_fields& gone, const document& config,
                       const write_scope& scope, emptied what) {
  if (gone.fields.empty()) return merged;
  const auto whole = internal::in_version(merged, gone.api_version, scope);
  const auto rest = remove_fields(whole, gone.fields, internal::root_of(gone.api_version, scope), what);
  return merge(internal::from_version(rest, gone.api_version, scope), config, {&scope.structure->root()});
}

std::vector<conflict> conflicts_of(const managers& taken) {
  std::vector<conflict> out;
  for (const auto& [id, o] : taken) for_each_path(o.fields, [&, &who = id](const path& p) { out.push_back({who, p}); });
  return out;
}

/// Objects that nobody tracked so far: everything in them gets an owner, lest the first apply takes it unasked.
managers first_owners(const document& live, const write_scope& scope) {
  return live.is_object() ? track_update(nullptr, live, {}, first_manager, scope) : managers();
}

}  // namespace

result<apply_outcome> apply_config(const document& live, const document& config, managers owners,
                                   const std::string& manager, bool force, const write_scope& scope) {
  const place root{&scope.structure->root()};
  if (auto why = complaint_about(config, root); !why.empty()) return fail(errc::invalid, why);
  const document before = internal::without_owners(live);
  if (owners.empty()) owners = first_owners(before, scope);
  internal::modernize(owners, scope);
  const manager_id self{manager, operation::apply, "", scope.subresource};
  auto merged = merge(before, config, root);
  if (!merged) return merged.err();

  const auto last = owners.contains(self) ? owners.at(self) : ownership{{}, scope.api_version, ""};
  owners[self] = {internal::in_scope(fields_of(config, root), scope), scope.api_version, to_rfc3339(scope.now)};
  apply_outcome out;
  const auto gone = forsaken(*merged, last, owners, scope);
  auto object = prune(*merged, gone, config, scope, emptied::go);
  if (!object) return object.err();
  out.object = std::move(*object);
  // Who claims a map or list as such does not lose it because others took out what was in it.
  const auto seen = prune(*merged, gone, config, scope, emptied::stay);
  if (!seen) return seen.err();
  internal::changes all(before, *seen, scope);
  if (const auto taken = internal::taken_by(all, owners, self); !force && !taken.empty()) {
    out.conflicts = conflicts_of(taken);
    return out;
  }
  internal::give_up(owners, all, &self);
  owners[self].fields = internal::trackable(owners[self].fields);
  std::erase_if(owners, [](const auto& o) { return o.second.fields.empty(); });
  if (owners.size() > managers_max)
    return fail(errc::too_large, "more than " + std::to_string(managers_max) + " managers own fields of the object");
  out.owners = std::move(owners);
  return out;
}

std::string message_of(const std::vector<conflict>& conflicts) {
  if (conflicts.size() == 1)
    return "Apply failed with 1 conflict: conflict with " + text_of(conflicts[0].manager) + ": " +
           text_of(conflicts[0].field);
  std::string out = "Apply failed with " + std::to_string(conflicts.size()) + " conflicts: ";
  const conflict* former = nullptr;
  for (const auto& c : conflicts) {
    if (former) out += '\n';
    if (!former || former->manager != c.manager) out += "conflicts with " + text_of(c.manager) + ":\n";
    out += "- " + text_of(c.field);
    former = &c;
  }
  return out;
}

}  // namespace wh::apply
