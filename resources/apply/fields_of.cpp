// From documents to field sets, and what a schema implies about them.
#include <set>

#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

/// Adds what one value holds; whoever fills `out` sorts it in the end.
void add_value(field_set& out, const path_element& e, const document& value, const place& at);

void add_members(field_set& out, const document& object, const place& at) {
  for (const auto& [name, value] : object.items()) {
    const auto e = path_element::field(name);
    add_value(out, e, value, at.member(name));
    const bool nothing_below = value.is_null() || (value.is_object() && value.empty());
    if (nothing_below || !at.named(name)) out.members.push_back(e);
  }
  out.sort();
}

void add_items(field_set& out, const document& list, const place& at) {
  std::set<path_element> seen, twice;
  for (const auto& item : list)
    if (auto e = at.element_of(item); e && !seen.insert(*e).second) twice.insert(*e);
  for (const auto& item : list) {
    auto e = at.element_of(item);
    if (!e) continue;
    out.members.push_back(*e);
    // Items that share a key cannot be told apart: they are owned together, not by their fields.
    if (!twice.contains(*e)) add_value(out, *e, item, at.item());
  }
  out.sort();
}

void add_value(field_set& out, const path_element& e, const document& value, const place& at) {
  field_set below;
  switch (at.shape_of(value)) {
    case place::shape::leaf: return out.members.push_back(e);
    case place::shape::map: add_members(below, value, at); break;
    case place::shape::list: add_items(below, value, at); break;
  }
  if (!below.empty()) out.children.push_back({e, std::move(below)});
}

}  // namespace

field_set fields_of(const document& doc, const place& at) {
  field_set out;
  if (doc.is_object()) add_members(out, doc, at);
  return out;
}

field_set with_named_fields(const field_set& s, const place& at) {
  field_set out;
  out.members = s.members;
  for (const auto& c : s.children) {
    if (c.at.kind == path_element::kind_type::field && at.named(c.at.name)) out.insert_member(c.at);
    out.children.push_back({c.at, with_named_fields(c.set, at.at(c.at))});
  }
  return out;
}

field_set reconciled(const field_set& s, const place& at) {
  field_set out;
  out.members = s.members;
  for (const auto& c : s.children) {
    const auto below = at.at(c.at);
    if (below.atomic()) out.insert_member(c.at);
    else out.children.push_back({c.at, reconciled(c.set, below)});
  }
  return out;
}

}  // namespace wh::apply
