// Scenario files: no text may crash the reader, lines that it names must exist, and what it accepts makes clusters.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "sim/scenario/cluster_profile.hpp"
#include "sim/scenario/internal/line_finder.hpp"

namespace {

void check_lines(std::string_view text) {
  const auto docs = wh::parse_yaml(text, {.depth_max = 32, .bytes_max = 64 * 1024, .yaml_nodes_max = 20'000});
  if (!docs || docs->size() != 1) return;
  const auto last = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const auto& [value, line] : wh::internal::find_lines(text, docs->front()))
    if (line < 1 || line > last) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_lines(text);
  const auto read = wh::read_scenario(text, "fuzz");
  if (!read) return read.err().message.starts_with("fuzz") ? 0 : (std::abort(), 0);
  if (read->phases.empty() || wh::scripted_time(*read, wh::scenario_limits::clusters_max) < wh::duration::zero())
    std::abort();
  for (const int index : {0, 1, 4711, wh::scenario_limits::clusters_max - 1})
    if (wh::profile_of(*read, read->seed, index) != wh::profile_of(*read, read->seed, index)) std::abort();
  return 0;
}
