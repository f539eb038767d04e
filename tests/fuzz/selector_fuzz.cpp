// Label and field selectors, selector objects and JSON paths: no text may crash the parser or the match.
#include <cstdint>

#include "resources/cluster_set.hpp"
#include "resources/table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const wh::document object = {{"metadata", {{"name", "x"}, {"labels", {{"app", "web"}, {"tier", "front"}}}}},
                                      {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto labels = wh::parse_label_selector(text)) labels->matches(object);
  if (const auto fields = wh::parse_field_selector(text)) {
    fields->matches(object);
    fields->name();
  }
  if (const auto doc = wh::parse_json(text); doc && doc->is_object()) {
    if (const auto labels = wh::read_selector_object(*doc)) labels->matches(wh::label_map_of(object));
    if (const auto set = wh::read_cluster_set_selector(*doc)) set->matches(wh::label_map_of(object));
  }
  wh::eval_json_path(object, text);
  return 0;
}
