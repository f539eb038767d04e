#include "resources/apply/field_set.hpp"

#include <algorithm>
#include <iterator>

namespace wh::apply {

namespace {

using members_type = std::vector<path_element>;
using children_type = std::vector<field_set::child>;

const path_element& place_of(const path_element& e) { return e; }
const path_element& place_of(const field_set::child& c) { return c.at; }

/// Where an element is, or would be. Most sets are built in order, so the end is tried first.
template <class List>
auto position_of(List& list, const path_element& e) {
  if (list.empty() || place_of(list.back()) < e) return list.end();
  return std::lower_bound(list.begin(), list.end(), e, [](const auto& a, const auto& b) { return place_of(a) < b; });
}

/// Walks two sorted lists together: `f(a, b)` for every place that either has, null for the one that lacks it.
template <class List, class F>
void zip(const List& a, const List& b, F&& f) {
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    const int c = i == a.end() ? 1 : j == b.end() ? -1 : compare(place_of(*i), place_of(*j));
    f(c <= 0 ? &*i : nullptr, c >= 0 ? &*j : nullptr);
    if (c <= 0) ++i;
    if (c >= 0) ++j;
  }
}

void append(field_set& out, const path_element& at, field_set set) {
  if (!set.empty()) out.children.push_back({at, std::move(set)});
}

void walk(const field_set& s, path& at, const std::function<void(const path&)>& f) {
  for (const auto& m : s.members) {
    at.push_back(m);
    f(at);
    at.pop_back();
  }
  for (const auto& c : s.children) {
    at.push_back(c.at);
    walk(c.set, at, f);
    at.pop_back();
  }
}

}  // namespace

std::size_t field_set::size() const {
  auto n = members.size();
  for (const auto& c : children) n += c.set.size();
  return n;
}

void field_set::insert_member(path_element e) {
  auto it = position_of(members, e);
  if (it == members.end() || !(*it == e)) members.insert(it, std::move(e));
}

bool field_set::has_member(const path_element& e) const {
  auto it = position_of(members, e);
  return it != members.end() && *it == e;
}

void field_set::attach(const path_element& at, field_set below) {
  if (below.empty()) return;
  auto it = position_of(children, at);
  if (it == children.end() || !(it->at == at)) children.insert(it, {at, std::move(below)});
  else it->set = union_of(it->set, below);
}

const field_set* field_set::below(const path_element& e) const {
  auto it = position_of(children, e);
  return it != children.end() && it->at == e ? &it->set : nullptr;
}

void field_set::sort() {
  if (!std::is_sorted(members.begin(), members.end())) std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  const auto by_place = [](const child& a, const child& b) { return a.at < b.at; };
  if (!std::is_sorted(children.begin(), children.end(), by_place))
    std::stable_sort(children.begin(), children.end(), by_place);
  std::vector<child> united;
  for (auto& c : children) {
    if (c.set.empty()) continue;
    if (!united.empty() && united.back().at == c.at) united.back().set = union_of(united.back().set, c.set);
    else united.push_back(std::move(c));
  }
  children = std::move(united);
}

void field_set::insert(const path& p) {
  field_set* at = this;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (i + 1 == p.size()) return at->insert_member(p[i]);
    auto it = position_of(at->children, p[i]);
    if (it == at->children.end() || !(it->at == p[i])) it = at->children.insert(it, {p[i], {}});
    at = &it->set;
  }
}

bool field_set::has(const path& p) const {
  const field_set* at = this;
  for (std::size_t i = 0; at && i < p.size(); ++i) {
    if (i + 1 == p.size()) return at->has_member(p[i]);
    at = at->below(p[i]);
  }
  return false;
}

bool operator==(const field_set& a, const field_set& b) { return a.members == b.members && a.children == b.children; }
bool operator==(const field_set::child& a, const field_set::child& b) { return a.at == b.at && a.set == b.set; }

field_set union_of(const field_set& a, const field_set& b) {
  field_set out;
  std::set_union(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                 std::back_inserter(out.members));
  zip(a.children, b.children, [&](const auto* x, const auto* y) {
    append(out, x ? x->at : y->at, x && y ? union_of(x->set, y->set) : x ? x->set : y->set);
  });
  return out;
}

field_set intersection_of(const field_set& a, const field_set& b) {
  field_set out;
  std::set_intersection(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                        std::back_inserter(out.members));
  zip(a.children, b.children, [&](const auto* x, const auto* y) {
    if (x && y) append(out, x->at, intersection_of(x->set, y->set));
  });
  return out;
}

field_set difference_of(const field_set& a, const field_set& b) {
  field_set out;
  std::set_difference(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                      std::back_inserter(out.members));
  zip(a.children, b.children, [&](const auto* x, const auto* y) {
    if (x) append(out, x->at, y ? difference_of(x->set, y->set) : x->set);
  });
  return out;
}

field_set without(const field_set& a, const field_set& b) {
  field_set out;
  std::set_difference(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                      std::back_inserter(out.members));
  zip(a.children, b.children, [&](const auto* x, const auto* y) {
    if (x && !b.has_member(x->at)) append(out, x->at, y ? without(x->set, y->set) : x->set);
  });
  return out;
}

field_set leaves_of(const field_set& s) {
  field_set out;
  for (const auto& m : s.members)
    if (!s.below(m)) out.members.push_back(m);
  for (const auto& c : s.children) append(out, c.at, leaves_of(c.set));
  return out;
}

void for_each_path(const field_set& s, const std::function<void(const path&)>& f) {
  path at;
  walk(s, at, f);
}

}  // namespace wh::apply
