#include "resources/cluster_set.hpp"

#include <fmt/format.h>

namespace wh {

result<cluster_set_selector> read_cluster_set_selector(const document& set) {
  const auto type = string_at(set, {"spec", "clusterSelector", "selectorType"});
  if (type.empty() || type == "ExclusiveClusterSetLabel")
    return cluster_set_selector{
        label_selector{{{cluster_set_label, label_requirement::op::in, {std::string(name_of(set))}}}}};
  if (type != "LabelSelector")
    return fail(errc::invalid, fmt::format("spec.clusterSelector.selectorType: \"{}\" is not known", type));
  const auto* selector = find_path(set, {"spec", "clusterSelector", "labelSelector"});
  if (!selector || !selector->is_object()) return cluster_set_selector{};
  auto labels = read_selector_object(*selector);
  if (!labels) return fail(errc::invalid, "spec.clusterSelector.labelSelector." + labels.err().message);
  return cluster_set_selector{std::move(*labels)};
}

}  // namespace wh
