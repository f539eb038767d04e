// YAML: no input may crash or hang, and what was read must survive being written and read again.
#include <cstdint>
#include <cstdlib>

#include "resources/document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto docs = wh::parse_yaml(text, {.depth_max = 64, .bytes_max = 64 * 1024, .yaml_nodes_max = 20'000});
  if (!docs) return 0;
  for (const auto& doc : *docs) {
    const auto again = wh::parse_yaml(wh::to_yaml(doc));
    if (!again || again->size() != 1 || again->front() != doc) std::abort();
  }
  return 0;
}
