#include "resources/conversion.hpp"

#include "resources/internal/conversions.hpp"

namespace wh {
namespace {

struct row {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  kind_conversion conversion;
};

constexpr const char* addon_group = "addon.open-cluster-management.io";

constexpr row rows[] = {
    {addon_group,
     "v1beta1",
     "ClusterManagementAddOn",
     {internal::management_addon_to_v1beta1, internal::management_addon_to_v1alpha1}},
    {addon_group,
     "v1beta1",
     "ManagedClusterAddOn",
     {internal::managed_addon_to_v1beta1, internal::managed_addon_to_v1alpha1}},
};

}  // namespace

const kind_conversion* conversion_of(std::string_view group, std::string_view version, std::string_view kind) {
  for (const auto& r : rows)
    if (r.group == group && r.version == version && r.kind == kind) return &r.conversion;
  return nullptr;
}

bool differs_in_shape(const kind_info& a, const kind_info& b) { return a.conversion != b.conversion; }

void convert(document& object, const kind_info& from, const kind_info& to) {
  if (differs_in_shape(from, to)) {
    if (from.conversion) from.conversion->to_stored(object);
    if (to.conversion) to.conversion->from_stored(object);
  }
  object["apiVersion"] = to.api_version();
}

}  // namespace wh
