#include <map>

#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

using shape = place::shape;

void compare_part(const document* before, const document* after, const place& at, const path_element& e,
                  comparison& out);
void compare_members(const document& before, const document& after, const place& at, comparison& out);
void compare_items(const document& before, const document& after, const place& at, comparison& out);

const document& empty_like(const document& value) {
  static const document object = document::object(), array = document::array();
  return value.is_object() ? object : array;
}

bool is_nothing(const document& v) { return v.is_null() || (v.is_structured() && v.empty()); }

void attach(comparison& out, const path_element& e, comparison below) {
  out.removed.attach(e, std::move(below.removed));
  out.modified.attach(e, std::move(below.modified));
  out.added.attach(e, std::move(below.added));
}

/// Two values of one shape, or one and its empty counterpart.
void compare_inside(const document& before, const document& after, const place& at, shape how, const path_element& e,
                    comparison& out) {
  comparison below;
  if (how == shape::map) compare_members(before, after, at, below);
  else compare_items(before, after, at, below);
  attach(out, e, std::move(below));
}

void compare_one_sided(const document& value, bool is_new, const place& at, const path_element& e, comparison& out) {
  const auto how = at.shape_of(value);
  const auto& nothing = empty_like(value);
  if (how != shape::leaf) compare_inside(is_new ? nothing : value, is_new ? value : nothing, at, how, e, out);
  (is_new ? out.added : out.removed).insert_member(e);
}

void compare_both(const document& before, const document& after, const place& at, const path_element& e,
                  comparison& out) {
  const auto was = at.shape_of(before), is = at.shape_of(after);
  const bool leaves = (was == shape::leaf && is == shape::leaf) || (is_nothing(before) && is_nothing(after));
  if (leaves || before == after) {
    if (before != after) out.modified.insert_member(e);
    return;
  }
  if (was == is) return compare_inside(before, after, at, was, e, out);
  // Null stands for an empty map or list. Anything else has become something else altogether.
  if (was != shape::leaf) compare_inside(before, empty_like(before), at, was, e, out);
  if (is != shape::leaf) compare_inside(empty_like(after), after, at, is, e, out);
  if (!before.is_null() && !after.is_null()) out.modified.insert_member(e);
}

void compare_part(const document* before, const document* after, const place& at, const path_element& e,
                  comparison& out) {
  if (before && after) compare_both(*before, *after, at, e, out);
  else if (after) compare_one_sided(*after, true, at, e, out);
  else compare_one_sided(*before, false, at, e, out);
}

void compare_members(const document& before, const document& after, const place& at, comparison& out) {
  for (const auto& [name, value] : before.items()) {
    const auto it = after.find(name);
    compare_part(&value, it == after.end() ? nullptr : &*it, at.member(name), path_element::field(name), out);
  }
  for (const auto& [name, value] : after.items())
    if (!before.contains(name)) compare_part(nullptr, &value, at.member(name), path_element::field(name), out);
}

/// The items of both versions that one element names; more than one where a key is repeated.
struct namesakes {
  std::vector<const document*> before;
  std::vector<const document*> after;
};

bool same_items(const namesakes& n) {
  if (n.before.size() != n.after.size()) return false;
  for (std::size_t i = 0; i < n.before.size(); ++i)
    if (*n.before[i] != *n.after[i]) return false;
  return true;
}

void compare_namesakes(const namesakes& n, const place& at, const path_element& e, comparison& out) {
  const bool several_before = n.before.size() > 1, several_after = n.after.size() > 1;
  if (!several_before && !several_after)
    return compare_part(n.before.empty() ? nullptr : n.before[0], n.after.empty() ? nullptr : n.after[0], at, e, out);
  if (several_before && several_after) {
    if (!same_items(n)) out.modified.insert_member(e);
    return;
  }
  // Repeated items have one owner for all; a single one is owned field by field. One goes, the other comes.
  comparison change;
  if (several_before) {
    if (!n.after.empty()) compare_part(nullptr, n.after[0], at, e, change);
    change.removed.insert_member(e);
  } else {
    if (!n.before.empty()) compare_part(n.before[0], nullptr, at, e, change);
    change.added.insert_member(e);
  }
  out.removed = union_of(out.removed, change.removed);
  out.added = union_of(out.added, change.added);
}

void compare_items(const document& before, const document& after, const place& at, comparison& out) {
  std::map<path_element, namesakes> items;
  for (const auto& item : before)
    if (auto e = at.element_of(item)) items[std::move(*e)].before.push_back(&item);
  for (const auto& item : after)
    if (auto e = at.element_of(item)) items[std::move(*e)].after.push_back(&item);
  for (const auto& [e, n] : items) compare_namesakes(n, at.item(), e, out);
}

}  // namespace

comparison compare(const document& before, const document& after, const place& at) {
  static const document nothing = document::object();
  comparison out;
  compare_members(before.is_object() ? before : nothing, after.is_object() ? after : nothing, at, out);
  return out;
}

}  // namespace wh::apply
