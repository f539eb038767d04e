#include <fmt/format.h>

#include <map>

#include "resources/kinds.hpp"
#include "sim/scenario/internal/fields.hpp"

namespace wh::internal {
namespace {

using namespace scenario_limits;

// As the ManagedCluster's schema has it.
constexpr std::size_t claim_length_max = 1024;
constexpr std::size_t claim_name_length_max = 253;

/// Says so if Kubernetes would refuse the label.
void check_label(mistakes& log, const place& at, const std::string& key, const std::string& value) {
  const document object = {{"metadata", {{"name", "x"}, {"labels", {{key, value}}}}}};
  static const kind_info clusters_kind = [] {
    kind_info out;
    out.namespaced = false;
    return out;
  }();
  for (const auto& e : validate_metadata(clusters_kind, object))
    log.add(at, fmt::format("is no label that Kubernetes takes: {}", e.detail));
}

void check_claim(mistakes& log, const place& at, const std::string& name, const std::string& value) {
  if (name.empty() || name.size() > claim_name_length_max)
    log.add(at, fmt::format("a claim's name has 1 to {} bytes", claim_name_length_max));
  if (value.empty() || value.size() > claim_length_max)
    log.add(at, fmt::format("a claim's value has 1 to {} bytes", claim_length_max));
}

using value_check = void (*)(mistakes&, const place&, const std::string& name, const std::string& value);

/// `{prod: 3, staging: 1}`, or one text for all.
weighted_set read_values(mistakes& log, const place& at, const std::string& name, value_check check) {
  weighted_set out{.name = name, .values = {}};
  if (const auto* text = at.value->get_ptr<const std::string*>()) {
    check(log, at, name, *text);
    out.values.push_back({.value = *text});
    return out;
  }
  if (!at.value->is_object()) {
    log.add(at, fmt::format("must be text, or values with weights such as {{prod: 3, staging: 1}}, not {}",
                            shown(*at.value)));
    return out;
  }
  if (at.value->size() > values_max)
    log.add(at, fmt::format("must have at most {} values, not {}", values_max, at.value->size()));
  std::uint64_t total = 0;
  for (const auto& [value, weight] : at.value->items()) {
    const auto here = log.member(at, value, weight);
    weighted_value entry{.value = value};
    read_whole<std::uint32_t>(log, here, 0, weight_max, entry.weight);
    check(log, here, name, value);
    total += entry.weight;
    out.values.push_back(std::move(entry));
  }
  if (total == 0) log.add(at, "needs a value with a weight above 0");
  return out;
}

void read_sets(mistakes& log, const place& at, value_check check, std::vector<weighted_set>& out) {
  if (!is_mapping(log, at)) return;
  if (at.value->size() > sets_max)
    return log.add(at, fmt::format("must have at most {} names, not {}", sets_max, at.value->size()));
  out.clear();
  for (const auto& [name, values] : at.value->items())
    out.push_back(read_values(log, log.member(at, name, values), name, check));
}

void read_labels(mistakes& log, const place& at, std::map<std::string, std::string>& out) {
  if (!is_mapping(log, at)) return;
  if (at.value->size() > sets_max)
    return log.add(at, fmt::format("must have at most {} labels, not {}", sets_max, at.value->size()));
  for (const auto& [key, value] : at.value->items()) {
    const auto here = log.member(at, key, value);
    if (!value.is_string()) {
      log.add(here, fmt::format("must be text (in quotes if it looks like a number), not {}", shown(value)));
      continue;
    }
    check_label(log, here, key, value.get_ref<const std::string&>());
    out[key] = value.get<std::string>();
  }
}

capacity_choice read_capacity(mistakes& log, const place& at) {
  capacity_choice out;
  fields f(log, at);
  f.read("weight", read_whole<std::uint32_t>, std::uint32_t{0}, weight_max, out.weight);
  if (const auto cpu = f.require("cpu")) read_cpu(log, *cpu, out.cpu_milli);
  if (const auto memory = f.require("memory"))
    read_bytes(log, *memory, memory_bytes_min, memory_bytes_max, out.memory_bytes);
  f.read("jitter", read_share, jitter_max, out.jitter);
  f.finish();
  return out;
}

void read_capacities(mistakes& log, const place& at, std::vector<capacity_choice>& out) {
  if (!is_list(log, at, 1, capacities_max)) return;
  out.clear();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < at.value->size(); ++i) {
    out.push_back(read_capacity(log, log.entry(at, i)));
    total += out.back().weight;
  }
  if (total == 0) log.add(at, "needs an entry with a weight above 0");
}

region_spec read_region(mistakes& log, const place& at) {
  region_spec out;
  fields f(log, at);
  if (const auto name = f.require("name")) read_label_name(log, *name, 63, out.name);
  f.read("share", read_whole<std::uint32_t>, std::uint32_t{0}, weight_max, out.share);
  f.read("labels", read_labels, out.labels);
  f.read("latency", read_range, latency_max, out.latency);
  f.read("capacities", read_capacities, out.capacities);
  f.finish();
  return out;
}

void read_regions(mistakes& log, const place& at, std::vector<region_spec>& out) {
  if (!is_list(log, at, 1, regions_max)) return;
  out.clear();
  std::uint64_t total = 0;
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < at.value->size(); ++i) {
    const auto here = log.entry(at, i);
    out.push_back(read_region(log, here));
    total += out.back().share;
    const auto name = string_at(*here.value, {"name"});
    if (name != out.back().name) continue;  // it could not be read
    const auto [first, is_new] = seen.emplace(name, i);
    if (!is_new) log.add(here, fmt::format("region {} is there already, at {}[{}]", name, at.path, first->second));
  }
  if (total == 0) log.add(at, "needs a region with a share above 0");
}

void read_behaviour(mistakes& log, const place& at, behaviour_spec& out) {
  fields f(log, at);
  f.read("available_after", read_range, object_delay_max, out.available_after);
  f.read("failure_rate", read_share, 1.0, out.failure_rate);
  f.read("stuck_rate", read_share, 1.0, out.stuck_rate);
  f.finish();
}

void read_lease(mistakes& log, const place& at, duration& out) {
  read_duration(log, at, lease_min, lease_max, out);
  if (out % std::chrono::seconds(1) != duration::zero()) log.add(at, "must be whole seconds");
}

/// Which of the two would win is a guess.
void check_label_sources(mistakes& log, const place& at, const fleet_spec& fleet) {
  for (const auto& region : fleet.regions)
    for (const auto& set : fleet.labels)
      if (region.labels.contains(set.name))
        log.add(at, fmt::format("label {} comes from region {} as well as from fleet.labels", set.name, region.name));
}

}  // namespace

void read_fleet(mistakes& log, const place& at, fleet_spec& out) {
  fields f(log, at);
  f.read("prefix", read_label_name, prefix_length_max, out.prefix);
  f.read("lease", read_lease, out.lease);
  f.read("regions", read_regions, out.regions);
  f.read("labels", read_sets, check_label, out.labels);
  f.read("claims", read_sets, check_claim, out.claims);
  f.read("behaviour", read_behaviour, out.behaviour);
  f.finish();
  check_label_sources(log, at, out);
}

}  // namespace wh::internal
