#include "resources/apply/apply.hpp"

#include <algorithm>

#include "resources/apply/internal/owners.hpp"
#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

using operation = manager_id::operation_type;

constexpr const char* first_manager = "before-first-apply";

/// The manager's former fields that it applies no more and nobody else owns: what is to go from the merged object.
field_set forsaken(const document& merged, const field_set& last, const managers& owners, const place& root) {
  if (last.empty()) return {};
  const auto former = with_named_fields(last, root);
  const auto present = with_named_fields(fields_of(merged, root), root);
  field_set owned;
  for (const auto& [id, o] : owners) owned = union_of(owned, o.fields);
  owned = with_named_fields(owned, root);
  // Removing a field removes what is in it: that comes back if it is owned …
  const auto without_former = remove_fields(merged, former, root, emptied::stay);
  auto left = with_named_fields(fields_of(without_former, root), root);
  const auto kept = remove_fields(merged, difference_of(present, union_of(left, owned)), root, emptied::stay);
  // … or if the manager never applied it.
  left = with_named_fields(fields_of(kept, root), root);
  return intersection_of(difference_of(present, left), former);
}

/// Takes fields out of a merged object, but not a map or list that is applied empty.
result<document> prune(const document& merged, const field_set& paths, const document& config, const place& root,
                       emptied what) {
  if (paths.empty()) return merged;
  return merge(remove_fields(merged, paths, root, what), config, root);
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
  internal::modernize(owners, root, scope);
  const manager_id self{manager, operation::apply, "", scope.subresource};
  auto merged = merge(before, config, root);
  if (!merged) return merged.err();

  const auto last = owners.contains(self) ? owners.at(self).fields : field_set();
  owners[self] = {internal::in_scope(fields_of(config, root), scope), scope.api_version, to_rfc3339(scope.now)};
  apply_outcome out;
  const auto gone = forsaken(*merged, last, owners, root);
  auto object = prune(*merged, gone, config, root, emptied::go);
  if (!object) return object.err();
  out.object = std::move(*object);
  // Who claims a map or list as such does not lose it because others took out what was in it.
  const auto seen = prune(*merged, gone, config, root, emptied::stay);
  if (!seen) return seen.err();
  const auto change = internal::change_between(before, *seen, root, scope);
  if (const auto taken = internal::taken_by(change, owners, self); !force && !taken.empty()) {
    out.conflicts = conflicts_of(taken);
    return out;
  }
  internal::give_up(owners, change, &self);
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
