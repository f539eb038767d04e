// Protobuf bodies of every built-in kind: what decodes must be printable and fit to be defaulted and validated.
#include <cstdint>
#include <cstdlib>

#include "resources/protobuf.hpp"

namespace {

const wh::kind_registry& kinds() {
  static const auto* all = [] {
    auto* registry = new wh::kind_registry;
    wh::add_builtin_kinds(*registry, wh::kind_set::hub);
    wh::add_builtin_kinds(*registry, wh::kind_set::cluster);
    return registry;
  }();
  return *all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto doc = wh::decode_protobuf({reinterpret_cast<const char*>(data), size}, kinds());
  if (!doc || !doc->is_object()) return 0;
  if (!wh::parse_json(doc->dump())) std::abort();
  const auto gv = wh::split_api_version(wh::api_version(*doc));
  const auto kind = kinds().find_kind(gv.group, gv.version, wh::kind_of(*doc));
  if (!kind) return 0;
  kind->structure->prune(*doc);
  kind->structure->apply_defaults(*doc);
  for (const auto& error : kind->structure->validate(*doc)) {
    if (error.text().empty()) std::abort();
  }
  return 0;
}
