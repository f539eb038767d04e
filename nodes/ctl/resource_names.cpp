#include "nodes/ctl/resource_names.hpp"

#include <cctype>

#include "resources/kinds.hpp"

namespace wh::ctl {
namespace {

const kind_registry& builtin_kinds() {
  static const auto registry = [] {
    auto kinds = std::make_unique<kind_registry>();
    add_builtin_kinds(*kinds, kind_set::cluster);
    return kinds;
  }();
  return *registry;
}

std::string guessed_plural(std::string_view kind) {
  std::string name;
  for (const char c : kind) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.ends_with('s')) return name + "es";
  if (name.ends_with('y')) return name.substr(0, name.size() - 1) + "ies";
  return name + "s";
}

}  // namespace

std::string resource_of(const document& object, const std::vector<manifest>& manifests) {
  const auto gv = split_api_version(api_version(object));
  const auto kind = kind_of(object);
  if (const auto known = builtin_kinds().find_kind(gv.group, gv.version, kind)) return known->plural;
  for (const auto& m : manifests) {
    if (kind_of(m.object) != "CustomResourceDefinition" || string_at(m.object, {"spec", "group"}) != gv.group) continue;
    if (string_at(m.object, {"spec", "names", "kind"}) == kind)
      return std::string(string_at(m.object, {"spec", "names", "plural"}));
  }
  return guessed_plural(kind);
}

}  // namespace wh::ctl
