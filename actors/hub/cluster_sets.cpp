#include "actors/hub/cluster_sets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/cluster_sets_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"

namespace wh {

using namespace sets_detail;

namespace {

using cluster = cluster_sets::cluster;
using cluster_set = cluster_sets::cluster_set;

/// Admission refuses selectors that cannot be read; one that is there nevertheless selects nothing.
cluster_set set_from(const document& doc, outbox& out) {
  cluster_set set;
  auto selector = read_cluster_set_selector(doc);
  if (selector) set.selector = std::move(*selector);
  else out.log(note_level::warning, fmt::format("set {} selects no cluster: {}", name_of(doc), selector.err().message));
  if (const auto* wanted = find_path(doc, {"spec", "managedNamespaces"}); wanted && wanted->is_array())
    for (const auto& entry : *wanted)
      if (const auto name = string_at(entry, {"name"}); !name.empty()) set.namespaces.emplace_back(name);
  std::sort(set.namespaces.begin(), set.namespaces.end());
  set.namespaces.erase(std::unique(set.namespaces.begin(), set.namespaces.end()), set.namespaces.end());
  set.deleting = is_deleting(doc);
  return set;
}

/// Brings one cluster's membership of one set up to date. True if it changed.
bool match(cluster_sets& self, cluster& c, const std::string& name, cluster_set& set) {
  const bool is = set.selector.matches(c.labels);
  const auto was = c.sets.find(name);
  if (is == (was != c.sets.end())) return false;
  if (is) {
    c.sets.insert(name);
    ++set.members;
  } else {
    c.sets.erase(was);
    --set.members;
  }
  self.due_sets.insert(name);
  return true;
}

void forget_cluster(cluster_sets& self, const std::string& name) {
  const auto it = self.clusters.find(name);
  if (it == self.clusters.end()) return;
  for (const auto& set : it->second.sets) {
    --self.sets.at(set).members;
    self.due_sets.insert(set);
  }
  self.clusters.erase(it);
  self.due_clusters.erase(name);
}

void note_cluster(cluster_sets& self, const std::string& name, const document& doc) {
  auto labels = label_map_of(doc);
  const auto [it, is_new] = self.clusters.try_emplace(name);
  auto& c = it->second;
  if (!is_new && c.labels == labels && c.deleting == is_deleting(doc)) return;
  c.labels = std::move(labels);
  c.deleting = is_deleting(doc);
  for (auto& [set_name, set] : self.sets) match(self, c, set_name, set);
  self.due_clusters.insert(name);
}

void bindings_due(cluster_sets& self, const std::string& set) {
  if (const auto it = self.bindings.find(set); it != self.bindings.end())
    for (const auto& ns : it->second) self.due_bindings.emplace(ns, set);
}

void forget_set(cluster_sets& self, const std::string& name) {
  if (self.sets.erase(name) == 0) return;
  for (auto& [cluster_name, c] : self.clusters)
    if (c.sets.erase(name) > 0) self.due_clusters.insert(cluster_name);
  self.due_sets.erase(name);
  bindings_due(self, name);
}

void note_set(cluster_sets& self, const std::string& name, const document& doc, outbox& out) {
  auto next = set_from(doc, out);
  const auto [it, is_new] = self.sets.try_emplace(name);
  auto& set = it->second;
  const bool same_members = !is_new && next.selector == set.selector;
  const bool same_wishes = next.namespaces == set.namespaces && next.deleting == set.deleting;
  next.members = set.members;
  set = std::move(next);
  // Whoever wrote the set may have written over the condition.
  if (is_new || !condition_is_current(set, doc)) self.due_sets.insert(name);
  if (is_new) bindings_due(self, name);
  if (same_members && same_wishes) return;
  for (auto& [cluster_name, c] : self.clusters) {
    const bool changed = !same_members && match(self, c, name, set);
    if (changed || (!same_wishes && c.sets.contains(name))) self.due_clusters.insert(cluster_name);
  }
}

void note_binding(cluster_sets& self, const object_key& key, const document& doc) {
  self.bindings[key.name].insert(key.ns);
  if (!binding_is_current(self, doc)) self.due_bindings.emplace(key.ns, key.name);
}

void forget_binding(cluster_sets& self, const object_key& key) {
  self.due_bindings.erase({key.ns, key.name});
  const auto it = self.bindings.find(key.name);
  if (it == self.bindings.end()) return;
  it->second.erase(key.ns);
  if (it->second.empty()) self.bindings.erase(it);
}

bool anything_due(const cluster_sets& self) {
  return self.due_keep || !self.due_sets.empty() || !self.due_bindings.empty() || !self.due_clusters.empty();
}

}  // namespace

void restore(cluster_sets& self, const context& ctx, outbox& out) {
  std::vector<std::pair<std::string, document>> stored;
  for (const auto& r : ctx.data.list({names::cluster_sets, "", ""}))
    stored.emplace_back(r.key.name, decode_stored(r.key, r.body));
  for (const auto& [name, doc] : stored) note_set(self, name, doc, out);
  for (const auto& r : ctx.data.list({names::managed_clusters, "", ""})) {
    const auto doc = decode_stored(r.key, r.body);
    note_cluster(self, r.key.name, doc);
    auto& c = self.clusters.at(r.key.name);
    c.told = managed_namespaces_of(doc);
    if (c.told == namespaces_of(self, c)) self.due_clusters.erase(r.key.name);
  }
  // What is right on disk is not written again.
  for (const auto& [name, doc] : stored)
    if (condition_is_current(self.sets.at(name), doc)) self.due_sets.erase(name);
  self.due_bindings.clear();
  for (const auto& r : ctx.data.list({names::cluster_set_bindings, "", ""}))
    note_binding(self, r.key, decode_stored(r.key, r.body));
  if (anything_due(self)) settle_later(self, out);
  if (self.keeps_default_sets) out.wake("keep", duration{0});
}

void on(cluster_sets& self, const object_changed& m, const context&, outbox& out) {
  const auto& key = m.what.key;
  const auto doc = m.what.body ? decode_stored(key, m.what.body) : document();
  if (key.resource == names::managed_clusters) {
    if (m.what.body) note_cluster(self, key.name, doc);
    else forget_cluster(self, key.name);
  } else if (key.resource == names::cluster_sets) {
    if (m.what.body) note_set(self, key.name, doc, out);
    else forget_set(self, key.name);
    self.due_keep |= is_kept(self, key.name);
  } else if (key.resource == names::cluster_set_bindings) {
    if (m.what.body) note_binding(self, key, doc);
    else forget_binding(self, key);
  }
  if (anything_due(self)) settle_later(self, out);
}

void on(cluster_sets& self, const timer_fired& m, const context& ctx, outbox& out) {
  if (m.name == "keep") {
    self.due_keep |= !keep_sets(self, ctx, out);
    out.wake("keep", keep_sets_every);
  }
  if (m.name == "settle") settle(self, ctx, out);
}

}  // namespace wh
