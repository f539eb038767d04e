#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apiserver/admission.hpp"
#include "resources/cluster_name.hpp"
#include "resources/cluster_set.hpp"

namespace wh {

namespace {

constexpr const char* cluster_group = "cluster.open-cluster-management.io";

const document* taints_of(const document& cluster) {
  const auto* list = find_path(cluster, {"spec", "taints"});
  return list && list->is_array() ? list : nullptr;
}

const document* taint_by_key(const document* taints, std::string_view key) {
  if (!taints) return nullptr;
  for (const auto& t : *taints)
    if (string_at(t, {"key"}) == key) return &t;
  return nullptr;
}

/// The time of an updated taint: unchanged ones keep theirs, new and changed ones get now; callers may choose neither.
answer<void> stamp_taint(document& taint, const document* old, const std::string& now) {
  bool same = old && string_at(*old, {"value"}) == string_at(taint, {"value"}) &&
              string_at(*old, {"effect"}) == string_at(taint, {"effect"});
  auto given = string_at(taint, {"timeAdded"});
  auto had = old ? string_at(*old, {"timeAdded"}) : std::string_view{};
  if (!given.empty() && (!same || given != had))
    return bad_request(
        fmt::format("It is not allowed to set TimeAdded of Taint {}.", go_quote(string_at(taint, {"key"}))));
  taint["timeAdded"] = same && !had.empty() ? std::string(had) : now;
  return {};
}

answer<void> stamp_taints(admission& a) {
  if (!taints_of(a.object)) return {};
  auto now = to_rfc3339(a.now);
  for (auto& taint : a.object["spec"]["taints"]) {
    if (!taint.is_object()) continue;  // the schema complains
    if (a.creates()) taint["timeAdded"] = now;
    else if (auto ok = stamp_taint(taint, taint_by_key(taints_of(*a.old), string_at(taint, {"key"})), now); !ok)
      return ok;
  }
  return {};
}

bool may_join(const admission& a, std::string_view set) {
  return a.allowed("create", cluster_group, "managedclustersets", "join", std::string(set));
}

/// A cluster in no set, from before the gate was on: whoever changes something else about it need not be allowed to let it
/// join one, or its own agent could not write it any more.
bool stays_outside(const admission& a) {
  return a.old && label_of(*a.old, cluster_set_label).empty() && !may_join(a, default_cluster_set);
}

/// Gate DefaultClusterSet. A cluster that is going away is left alone.
void join_default_set(admission& a) {
  if (!a.call.core->options.default_cluster_set || is_deleting(a.object)) return;
  if (!label_of(a.object, cluster_set_label).empty() || stays_outside(a)) return;
  a.object["metadata"]["labels"][cluster_set_label] = default_cluster_set;
}

void check_urls(admission& a) {
  const auto* configs = find_path(a.object, {"spec", "managedClusterClientConfigs"});
  if (!configs || !configs->is_array()) return;
  for (std::size_t i = 0; i < configs->size(); ++i) {
    auto url = string_at((*configs)[i], {"url"});
    constexpr std::string_view scheme = "https://";
    bool good =
        url.starts_with(scheme) && url.size() > scheme.size() && url[scheme.size()] != '/' &&
        std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
    if (!good)
      a.errors.push_back({field_error_type::invalid, fmt::format("spec.managedClusterClientConfigs[{}].url", i),
                          go_quote(url), "must be an https URL"});
  }
}

/// Zero means the default, as it does to Open Cluster Management's hub.
void check_lease_duration(admission& a) {
  const auto seconds = int_at(a.object, {"spec", "leaseDurationSeconds"}, 0);
  if (seconds < 0)
    a.errors.push_back(
        {field_error_type::invalid, "spec.leaseDurationSeconds", std::to_string(seconds), "must be greater than 0"});
}

/// The cluster's name is its namespace's name. The link has the same rule (actors/hub/gatekeeper.cpp).
void check_name(admission& a) {
  auto problem = cluster_name_problem(name_of(a.object));
  if (!problem.empty())
    a.errors.push_back({field_error_type::invalid, "metadata.name", go_quote(name_of(a.object)), std::move(problem)});
}

bool namespace_terminating(const admission& a) {
  auto found = a.call.core->options.data->get({"namespaces", "", std::string(name_of(a.object))});
  if (!found || !*found) return false;
  auto ns = decode_record(**found);
  return ns && is_deleting(*ns);
}

answer<void> check_accept(const admission& a) {
  bool accepts = bool_at(a.object, {"spec", "hubAcceptsClient"}, false);
  bool accepted = a.old && bool_at(*a.old, {"spec", "hubAcceptsClient"}, false);
  if (!accepts || accepted) return {};
  std::string name(name_of(a.object));
  if (!a.allowed("update", "register.open-cluster-management.io", "managedclusters", "accept", name))
    return forbidden_error(a.call.resource(), name,
                           fmt::format("user {} cannot update the HubAcceptsClient field", go_quote(a.user().name)));
  if (namespace_terminating(a))
    return forbidden_error(
        a.call.resource(), name,
        fmt::format("the namespace {} is being terminated; accept the cluster when it is gone", go_quote(name)));
  return {};
}

/// Joining or leaving a set needs the right to do so on both the old and the new one.
answer<void> check_join(const admission& a) {
  auto next = label_of(a.object, cluster_set_label);
  auto had = a.old ? label_of(*a.old, cluster_set_label) : std::string_view{};
  if (next == had) return {};
  for (auto set : {had, next}) {
    if (set.empty() || may_join(a, set)) continue;
    return forbidden_error(a.call.resource(), name_of(a.object),
                           fmt::format("user {} cannot add/remove a ManagedCluster to/from the ManagedClusterSet {}",
                                       go_quote(a.user().name), go_quote(set)));
  }
  return {};
}

/// What the hub itself writes down about a cluster's identity and acceptance. Who may not accept the cluster may not
/// rewrite that either: its agent could else be accepted anew after a denial, or shut out certificates newer than its own.
bool is_hubs_own(std::string_view annotation) {
  return annotation == "open-cluster-management.io/automatically-accepted-on" ||
         annotation.starts_with("registration.wheelhouse.io/");
}

std::map<std::string, std::string> hubs_own(const document* cluster) {
  std::map<std::string, std::string> out;
  const auto* all = cluster ? find_path(*cluster, {"metadata", "annotations"}) : nullptr;
  if (!all || !all->is_object()) return out;
  for (const auto& [key, value] : all->items())
    if (is_hubs_own(key) && value.is_string()) out[key] = value.get<std::string>();
  return out;
}

answer<void> check_hubs_own(const admission& a) {
  if (hubs_own(a.old) == hubs_own(&a.object)) return {};
  std::string name(name_of(a.object));
  if (a.allowed("update", "register.open-cluster-management.io", "managedclusters", "accept", name)) return {};
  return forbidden_error(a.call.resource(), name,
                         fmt::format("user {} cannot change annotations registration.wheelhouse.io/* and "
                                     "open-cluster-management.io/automatically-accepted-on: they are the hub's own",
                                     go_quote(a.user().name)));
}

}  // namespace

answer<void> complete_managed_cluster(admission& a) {
  if (!a.subresource.empty()) return {};
  join_default_set(a);
  return stamp_taints(a);
}

answer<void> check_managed_cluster(admission& a) {
  if (!a.subresource.empty()) return {};
  if (a.creates()) check_name(a);
  check_urls(a);
  check_lease_duration(a);
  if (auto ok = check_accept(a); !ok) return ok;
  if (auto ok = check_hubs_own(a); !ok) return ok;
  return check_join(a);
}

}  // namespace wh
