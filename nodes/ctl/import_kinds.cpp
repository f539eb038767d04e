#include "nodes/ctl/import_kinds.hpp"

#include <algorithm>

#include "nodes/ctl/hub_client.hpp"

namespace wh::ctl {
namespace {

constexpr const char* cluster_group = "cluster.open-cluster-management.io";
constexpr const char* work_group = "work.open-cluster-management.io";
constexpr const char* replica_set_label = "work.open-cluster-management.io/manifestworkreplicaset";
constexpr const char* addon_label = "open-cluster-management.io/addon-name";
/// Annotations that a Wheelhouse hub keeps for itself, such as the key that speaks for a cluster.
constexpr std::string_view own_annotations = "registration.wheelhouse.io/";
/// Labels of clusters that follow their add-ons.
constexpr std::string_view feature_labels = "feature.open-cluster-management.io/addon-";

/// Taints that the hub sets and removes by itself.
bool is_automatic(const document& taint) {
  const auto key = string_at(taint, {"key"});
  return key == "cluster.open-cluster-management.io/unavailable" ||
         key == "cluster.open-cluster-management.io/unreachable";
}

bool same_taint(const document& a, const document& b) {
  for (const char* field : {"key", "value", "effect"})
    if (string_at(a, {field}) != string_at(b, {field})) return false;
  return true;
}

const document& list_at(const document& object, const char* field) {
  static const document none = document::array();
  const auto* found = find_path(object, {"spec", field});
  return found && found->is_array() ? *found : none;
}

/// Taints that a person set, without the time, which only a server may set.
document own_taints(const document& cluster) {
  document taints = document::array();
  for (auto taint : list_at(cluster, "taints")) {
    if (is_automatic(taint)) continue;
    if (taint.is_object()) taint.erase("timeAdded");
    taints.push_back(std::move(taint));
  }
  return taints;
}

/// Taints as an overwritten cluster has them: those of the hub, and the wanted ones, with their time if they were there.
document merged_taints(const document& existing, const document& wanted) {
  document taints = document::array();
  const auto& before = list_at(existing, "taints");
  for (const auto& taint : before)
    if (is_automatic(taint)) taints.push_back(taint);
  for (const auto& taint : list_at(wanted, "taints")) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& t) { return same_taint(t, taint); });
    taints.push_back(same == before.end() ? taint : *same);
  }
  return taints;
}

/// Labels or annotations, without those whose keys begin with `prefix`; empty: all.
document texts_without(const document& object, const char* field, std::string_view prefix) {
  document kept = document::object();
  if (const auto* all = find_path(object, {"metadata", field}); all && all->is_object())
    for (const auto& [key, value] : all->items())
      if (prefix.empty() || !key.starts_with(prefix)) kept[key] = value;
  return kept;
}

/// Before v1beta2 the selector that goes by the label was called otherwise.
void modernise_set(document& set) {
  if (!set.contains("spec") || !set["spec"].is_object() || !set["spec"].contains("clusterSelector")) return;
  auto& selector = set["spec"]["clusterSelector"];
  if (string_at(selector, {"selectorType"}) == "LegacyClusterSetLabel")
    selector["selectorType"] = "ExclusiveClusterSetLabel";
}

/// A spec for comparison: without what the source has no say in.
document comparable(const imported_kind& kind, const document& object) {
  const auto* found = find_path(object, {"spec"});
  document spec = found && found->is_object() ? *found : document::object();
  if (kind.part != "clusters") return spec;
  spec.erase("hubAcceptsClient");
  spec["taints"] = own_taints(object);
  if (!spec.contains("managedClusterClientConfigs")) spec["managedClusterClientConfigs"] = document::array();
  return spec;
}

bool covers(const document& existing, const document& wanted, const char* field) {
  const auto* texts = find_path(wanted, {"metadata", field});
  if (!texts || !texts->is_object()) return true;
  for (const auto& [key, value] : texts->items()) {
    const auto* found = find_path(existing, {"metadata", field, key});
    if (!found || *found != value) return false;
  }
  return true;
}

/// The owner that manages an object, or null.
const document* controller_of(const document& object) {
  if (const auto* owners = find_path(object, {"metadata", "ownerReferences"}); owners && owners->is_array())
    for (const auto& owner : *owners)
      if (bool_at(owner, {"controller"}, false) || kind_of(owner) == "ManagedClusterAddOn") return &owner;
  return nullptr;
}

}  // namespace

std::string imported_kind::path(std::string_view version, std::string_view ns) const {
  auto text = "/apis/" + group + "/" + std::string(version);
  if (!ns.empty()) text += "/namespaces/" + percent_encode(ns);
  return text + "/" + plural;
}

const std::vector<imported_kind>& imported_kinds() {
  static const std::vector<imported_kind> kinds = {
      {.part = "sets",
       .kind = "ManagedClusterSet",
       .plural = "managedclustersets",
       .group = cluster_group,
       .versions = {"v1beta2", "v1beta1"}},
      {.part = "clusters",
       .kind = "ManagedCluster",
       .plural = "managedclusters",
       .group = cluster_group,
       .versions = {"v1"}},
      {.part = "bindings",
       .kind = "ManagedClusterSetBinding",
       .plural = "managedclustersetbindings",
       .group = cluster_group,
       .versions = {"v1beta2", "v1beta1"},
       .namespaced = true},
      {.part = "placements",
       .kind = "Placement",
       .plural = "placements",
       .group = cluster_group,
       .versions = {"v1beta1"},
       .namespaced = true},
      {.part = "works",
       .kind = "ManifestWorkReplicaSet",
       .plural = "manifestworkreplicasets",
       .group = work_group,
       .versions = {"v1alpha1"},
       .namespaced = true,
       .page = 100},
      // A work may be half a megabyte, and a page of them is held in memory.
      {.part = "works",
       .kind = "ManifestWork",
       .plural = "manifestworks",
       .group = work_group,
       .versions = {"v1"},
       .namespaced = true,
       .page = 100},
  };
  return kinds;
}

std::vector<std::string> importable_parts() { return {"clusters", "sets", "bindings", "works", "placements"}; }

std::string reason_to_leave_out(const imported_kind& kind, const document& object, const import_owners& owners) {
  if (is_deleting(object)) return "it is being deleted at the source";
  if (kind.kind != "ManifestWork" || owners.take_owned) return "";
  const std::string set(label_of(object, replica_set_label));
  if (!set.empty()) return owners.replica_sets.contains(set) ? "ManifestWorkReplicaSet " + set + " makes it again" : "";
  const auto* owner = controller_of(object);
  const auto addon =
      owner && kind_of(*owner) == "ManagedClusterAddOn" ? string_at(*owner, {"name"}) : label_of(object, addon_label);
  return addon.empty() ? "" : "add-on " + std::string(addon) + " makes it again, once it is installed here";
}

std::string what_is_lost(const imported_kind& kind, const document& object, const import_owners& owners) {
  if (kind.kind != "ManifestWork") return "";
  const auto alone = [](const std::string& owner) {
    return "its owner, " + owner + ", does not come along: until it is here, nobody else changes or deletes this work";
  };
  if (const std::string set(label_of(object, replica_set_label)); !set.empty())
    return owners.replica_sets.contains(set) ? "" : alone("ManifestWorkReplicaSet " + set);
  const auto* owner = controller_of(object);
  return owner ? alone(std::string(kind_of(*owner)) + " " + std::string(string_at(*owner, {"name"}))) : "";
}

document portable(const imported_kind& kind, const document& object) {
  document metadata = {{"name", std::string(name_of(object))}};
  if (kind.namespaced) metadata["namespace"] = std::string(namespace_of(object));
  auto labels = texts_without(object, "labels", kind.part == "clusters" ? feature_labels : std::string_view());
  auto annotations = texts_without(object, "annotations", own_annotations);
  if (!labels.empty()) metadata["labels"] = std::move(labels);
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  document taken = {
      {"apiVersion", kind.group + "/" + kind.versions.front()}, {"kind", kind.kind}, {"metadata", metadata}};
  if (const auto* spec = find_path(object, {"spec"})) taken["spec"] = *spec;
  if (kind.part == "sets") modernise_set(taken);
  if (kind.part != "clusters") return taken;
  if (!taken.contains("spec") || !taken["spec"].is_object()) taken["spec"] = document::object();
  taken["spec"].erase("taints");
  if (auto taints = own_taints(object); !taints.empty()) taken["spec"]["taints"] = std::move(taints);
  return taken;
}

document overwritten(const imported_kind& kind, const document& existing, const document& wanted) {
  document changed = existing;
  for (const char* field : {"labels", "annotations"})
    if (const auto* texts = find_path(wanted, {"metadata", field})) changed["metadata"][field].update(*texts);
  changed["spec"] = wanted.value("spec", document::object());
  if (kind.part != "clusters") return changed;
  changed["spec"]["hubAcceptsClient"] = bool_at(existing, {"spec", "hubAcceptsClient"}, false);
  changed["spec"]["taints"] = merged_taints(existing, wanted);
  return changed;
}

std::vector<std::string> differences(const imported_kind& kind, const document& existing, const document& wanted) {
  std::vector<std::string> names;
  for (const char* field : {"labels", "annotations"})
    if (!covers(existing, wanted, field)) names.push_back(std::string("metadata.") + field);
  const auto here = comparable(kind, existing);
  const auto there = comparable(kind, wanted);
  for (const auto& [key, value] : there.items())
    if (!here.contains(key) || here.at(key) != value) names.push_back("spec." + key);
  for (const auto& [key, value] : here.items())
    if (!there.contains(key)) names.push_back("spec." + key);
  return names;
}

}  // namespace wh::ctl
