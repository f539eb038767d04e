// Users' schemas: the first line is a CRD's openAPIV3Schema, the rest an object. Neither may crash or hang the server.
#include <cstdint>
#include <cstdlib>

#include "resources/crd_rules.hpp"
#include "resources/scale.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  const auto openapi = wh::parse_json(text.substr(0, line));
  if (!openapi) return 0;
  const wh::document crd = {{"metadata", {{"name", "things.fuzz.example"}}},
                            {"spec",
                             {{"group", "fuzz.example"},
                              {"scope", "Namespaced"},
                              {"names", {{"plural", "things"}, {"kind", "Thing"}}},
                              {"versions",
                               {{{"name", "v1"},
                                 {"served", true},
                                 {"storage", true},
                                 {"subresources",
                                  {{"scale",
                                    {{"specReplicasPath", ".spec.a.b"},
                                     {"statusReplicasPath", ".status.a"},
                                     {"labelSelectorPath", ".status.b"}}}}},
                                 {"schema", {{"openAPIV3Schema", *openapi}}}}}}}}};
  const auto kinds = wh::kinds_of_crd(crd);
  if (!kinds || line == std::string_view::npos) return 0;
  for (const auto& rule : wh::rules_of_crd(crd))
    if (rule.rule.empty()) std::abort();
  auto object = wh::parse_json(text.substr(line + 1));
  if (!object) return 0;
  const auto& structure = *kinds->front().structure;
  structure.prune(*object);
  if (!structure.prune(*object).empty()) std::abort();
  structure.apply_defaults(*object);
  auto twice = *object;
  structure.apply_defaults(twice);
  if (twice != *object) std::abort();
  structure.validate(*object);
  const auto& kind = kinds->front();
  wh::validate_metadata(kind, *object);
  for (const bool of_status : {false, true}) wh::validate_scale_values(kind, *object, of_status);
  if (wh::set_replicas(kind, *object, 3)) {
    const auto scale = wh::scale_of(kind, *object);
    if (scale && wh::int_at(scale->scale, {"spec", "replicas"}, 0) != 3) std::abort();
  }
  return 0;
}
