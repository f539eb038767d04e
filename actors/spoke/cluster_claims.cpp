#include "actors/spoke/cluster_claims.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace wh {
namespace {

constexpr std::array<std::string_view, 4> reserved_names = {"id.k8s.io", "kubeversion.open-cluster-management.io",
                                                            "platform.open-cluster-management.io",
                                                            "product.open-cluster-management.io"};

bool is_reserved(const std::string& name, const claim_limits& limits) {
  if (std::find(reserved_names.begin(), reserved_names.end(), name) != reserved_names.end()) return true;
  return std::any_of(limits.reserved_suffixes.begin(), limits.reserved_suffixes.end(),
                     [&](const std::string& suffix) { return !suffix.empty() && name.ends_with(suffix); });
}

bool is_sound(const std::string& name, const std::string& value) {
  return !name.empty() && name.size() <= claim_name_max && !value.empty() && value.size() <= claim_value_max;
}

}  // namespace

chosen_claims choose_claims(const std::map<std::string, std::string>& all, const claim_limits& limits) {
  chosen_claims chosen;
  std::size_t custom = 0;
  const auto take = [&](bool reserved) {
    for (const auto& [name, value] : all) {
      if (is_reserved(name, limits) != reserved || !is_sound(name, value)) continue;
      const bool room = chosen.claims.size() < claims_max && (reserved || custom < limits.custom_max);
      if (!room) {
        ++chosen.dropped;
        continue;
      }
      custom += reserved ? 0 : 1;
      chosen.claims[name] = value;
    }
  };
  take(true);
  take(false);
  for (const auto& [name, value] : all)
    if (!is_sound(name, value)) chosen.unsound.push_back(name);
  return chosen;
}

}  // namespace wh
