#include <fmt/format.h>

#include "apiserver/admission.hpp"
#include "resources/cluster_set.hpp"

namespace wh {

/// A selector that nothing can be made of would leave the set silently empty.
answer<void> check_cluster_set(admission& a) {
  if (!a.subresource.empty()) return {};
  const auto* spec = find_path(a.object, {"spec"});
  const auto* had = a.old ? find_path(*a.old, {"spec"}) : nullptr;
  if (spec && had && *spec == *had) return {};  // what was taken under other rules can still be labelled and let go
  const auto selector = read_cluster_set_selector(a.object);
  if (!selector) a.errors.push_back({field_error_type::invalid, "spec.clusterSelector", "", selector.err().message});
  constexpr std::size_t label_value_max = 63;
  if (a.creates() && name_of(a.object).size() > label_value_max &&
      string_at(a.object, {"spec", "clusterSelector", "selectorType"}) != "LabelSelector")
    a.warnings.push_back(
        fmt::format("no cluster can be in this set: its name has {} characters, and the label {} takes at most {}",
                    name_of(a.object).size(), cluster_set_label, label_value_max));
  return {};
}

answer<void> check_cluster_set_binding(admission& a) {
  if (!a.subresource.empty()) return {};
  auto set = string_at(a.object, {"spec", "clusterSet"});
  if (set != name_of(a.object))
    return bad_request("The ManagedClusterSetBinding must have the same name as the target ManagedClusterSet");
  if (!a.creates() ||
      a.allowed("create", "cluster.open-cluster-management.io", "managedclustersets", "bind", std::string(set)))
    return {};
  return forbidden_error(
      a.call.resource(), name_of(a.object),
      fmt::format("user {} is not allowed to bind cluster set {}", go_quote(a.user().name), go_quote(set)));
}

}  // namespace wh
