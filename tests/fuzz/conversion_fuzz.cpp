// Versions of different shapes: no object may crash a conversion, and one that its version's schema takes comes back from
// the other version as it was. The first byte chooses kind and direction.
#include <cstdint>

#include "base/assert.hpp"
#include "resources/conversion.hpp"

namespace {

struct direction {
  wh::kind_ptr from, to;
};

const std::vector<direction>& directions() {
  static const auto all = [] {
    wh::kind_registry registry;
    wh::add_builtin_kinds(registry, wh::kind_set::hub);
    std::vector<direction> out;
    for (const auto& kind : registry.all()) {
      if (!kind->conversion) continue;
      const auto stored = registry.find_resource(kind->group_resource());
      out.push_back({stored, kind});
      out.push_back({kind, stored});
    }
    return out;
  }();
  return all;
}

/// Annotations that conversions use themselves: who writes them by hand asks for another object back.
bool has_conversion_notes(const wh::document& object) {
  const auto* annotations = wh::find_path(object, {"metadata", "annotations"});
  if (!annotations || !annotations->is_object()) return false;
  for (const auto& [key, value] : annotations->items())
    if (key.starts_with("addon.open-cluster-management.io/v1")) return true;
  return annotations->empty();
}

/// What is too large to be kept in an annotation is lost.
constexpr std::size_t bytes_max = 16 * 1024;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& [from, to] = directions()[data[0] % directions().size()];
  auto parsed = wh::parse_json({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!parsed || !parsed->is_object()) return 0;
  auto object = std::move(*parsed);
  from->structure->prune(object);
  object["apiVersion"] = from->api_version();
  const bool valid = object.contains("metadata") && object["metadata"].is_object() && size < bytes_max &&
                     from->structure->validate(object).empty() && !has_conversion_notes(object);
  auto there = object;
  wh::convert(there, *from, *to);
  wh::convert(there, *to, *from);
  if (valid) WH_ASSERT(there == object);
  return 0;
}
