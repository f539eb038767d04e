#include <fmt/format.h>

#include <algorithm>

#include "nodes/common/files.hpp"
#include "sim/scenario/internal/fields.hpp"
#include "sim/scenario/internal/packed_scenarios.hpp"
#include "sim/scenario/scenario.hpp"

namespace wh {
namespace {

using namespace scenario_limits;

// Far above what a scenario of the greatest size has.
constexpr parse_limits text_limits = {.depth_max = 32, .bytes_max = file_bytes_max, .yaml_nodes_max = 50'000};
constexpr std::size_t description_length_max = 4096;

scenario read_members(internal::mistakes& log, const internal::place& at) {
  scenario out;
  internal::fields f(log, at);
  if (const auto name = f.require("name")) read_label_name(log, *name, 63, out.name);
  f.read("description", internal::read_text, description_length_max, out.description);
  f.read("seed", internal::read_whole<std::uint64_t>, std::uint64_t{0}, UINT64_MAX, out.seed);
  if (const auto clusters = f.find("clusters"))
    internal::read_whole<int>(log, *clusters, 1, clusters_max, out.clusters.emplace(1));
  f.read("fleet", internal::read_fleet, out.fleet);
  if (const auto phases = f.require("phases")) read_phases(log, *phases, out.phases);
  f.finish();
  return out;
}

duration seconds_of(double s) { return duration(static_cast<std::int64_t>(s * 1e6)); }

struct scripted {
  int clusters;
  duration operator()(const join_phase& p) const {
    return p.rate > 0 ? seconds_of(std::min(clusters / p.rate, 1e9)) : duration::zero();
  }
  duration operator()(const steady_phase& p) const { return p.length; }
  duration operator()(const churn_phase& p) const { return p.length; }
  duration operator()(const storm_phase& p) const { return p.downtime; }
  duration operator()(const restart_phase& p) const { return p.downtime; }
  duration operator()(const pause_phase& p) const { return p.length; }
  template <class Other>
  duration operator()(const Other&) const {
    return duration::zero();
  }
};

}  // namespace

result<scenario> read_scenario(std::string_view yaml, std::string_view file) {
  const auto documents = parse_yaml(yaml, text_limits);
  if (!documents) return fail(documents.err().code, fmt::format("{}: {}", file, documents.err().message));
  if (documents->size() != 1) {
    return fail(errc::invalid, fmt::format("{}: a file is one scenario, this has {}", file,
                                           documents->empty() ? "nothing in it" : "several documents"));
  }
  const auto& root = documents->front();
  internal::mistakes log(file, internal::find_lines(yaml, root));
  auto out = read_members(log, log.root(root));
  if (!log.empty()) return log.as_error();
  return out;
}

result<scenario> read_scenario_file(const std::string& path) {
  const auto text = read_file(path, file_bytes_max);
  if (!text) return text.err();
  return read_scenario(*text, path);
}

result<void> set_prefix(scenario& s, const std::string& prefix) {
  if (internal::is_label_name(prefix, prefix_length_max)) {
    s.fleet.prefix = prefix;
    return {};
  }
  return fail(errc::invalid, internal::label_name_rule(prefix_length_max) + ", not " + internal::shown(prefix));
}

duration scripted_time(const scenario& s, int clusters) {
  duration total{};
  for (const auto& phase : s.phases) total += std::visit(scripted{clusters}, phase.what);
  return total;
}

const std::vector<builtin_scenario_info>& list_builtin_scenarios() { return internal::packed_scenarios(); }

result<scenario> builtin_scenario(std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& each : list_builtin_scenarios()) {
    if (each.name == name) return read_scenario(each.text, fmt::format("{}.yaml", name));
    known.push_back(each.name);
  }
  return fail(errc::not_found, fmt::format("there is no built-in scenario \"{}\"{} (there are {})", name,
                                           internal::suggestion(name, known), fmt::join(known, ", ")));
}

}  // namespace wh
