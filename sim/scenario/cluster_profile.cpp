#include "sim/scenario/cluster_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "base/random.hpp"
#include "resources/quantity.hpp"

namespace wh {
namespace {

// What a node's system keeps for itself of CPU and memory, in thousandths.
constexpr std::int64_t reserved_permille = 60;
constexpr std::int64_t mebi = std::int64_t{1} << 20;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

/// Where one property of one cluster comes from.
struct dice {
  std::uint64_t seed;
  int index;

  rng of(std::string_view property) const {
    return rng(rng(seed ^ fnv1a(property)).next() + static_cast<std::uint64_t>(index));
  }
};

template <class Choices, class Weight>
auto& pick(const Choices& choices, rng r, Weight weight) {
  std::uint64_t total = 0;
  for (const auto& c : choices) total += weight(c);
  WH_ASSERT(total > 0);
  std::uint64_t at = r.below(total);
  for (const auto& c : choices) {
    if (at < weight(c)) return c;
    at -= weight(c);
  }
  return choices.back();
}

void pick_values(std::map<std::string, std::string>& out, const std::vector<weighted_set>& sets, std::string_view what,
                 const dice& d) {
  for (const auto& set : sets) {
    const auto r = d.of(fmt::format("{}/{}", what, set.name));
    out[set.name] = pick(set.values, r, [](const auto& v) { return v.weight; }).value;
  }
}

duration pick_duration(const duration_range& range, rng r) {
  return range.min +
         duration(static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>((range.max - range.min).count()) + 1)));
}

std::int64_t round_down(std::int64_t value, std::int64_t step) { return std::max(value / step * step, step); }

/// In whole thousandths: floating point would not give every machine the same clusters.
std::int64_t vary(std::int64_t value, double jitter, std::int64_t step, rng r) {
  const auto spread = std::lround(jitter * 1000);
  if (spread == 0) return value;
  const auto drawn = static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(2 * spread + 1)));
  return round_down(value * (1000 - spread + drawn) / 1000, step);
}

void fill_capacity(cluster_profile& out, const capacity_choice& size, const dice& d) {
  // Whole cores where the choice is at least one, as machines have them.
  const std::int64_t cpu_step = size.cpu_milli >= 1000 ? 1000 : 10;
  const auto cpu = vary(size.cpu_milli, size.jitter, cpu_step, d.of("cpu"));
  const auto memory = vary(size.memory_bytes, size.jitter, mebi, d.of("memory"));
  out.capacity = {{"cpu", format_quantity_milli(cpu)}, {"memory", format_quantity_milli(memory * 1000)}};
  const auto left = [](std::int64_t value, std::int64_t step) {
    return round_down(value * (1000 - reserved_permille) / 1000, step);
  };
  out.allocatable = {{"cpu", format_quantity_milli(left(cpu, 10))},
                     {"memory", format_quantity_milli(left(memory, mebi) * 1000)}};
}

}  // namespace

cluster_profile profile_of(const scenario& s, std::uint64_t seed, int index) {
  WH_ASSERT(index >= 0 && index < scenario_limits::clusters_max);
  const dice d{seed, index};
  const auto& region = pick(s.fleet.regions, d.of("region"), [](const auto& r) { return r.share; });
  cluster_profile out;
  out.name = fmt::format("{}-{:05}", s.fleet.prefix, index);
  out.region = region.name;
  out.labels = region.labels;
  pick_values(out.labels, s.fleet.labels, "label", d);
  pick_values(out.claims, s.fleet.claims, "claim", d);
  fill_capacity(out, pick(region.capacities, d.of("capacity"), [](const auto& c) { return c.weight; }), d);
  out.latency = pick_duration(region.latency, d.of("latency"));
  out.object_delay = pick_duration(s.fleet.behaviour.available_after, d.of("object delay"));
  out.seed = d.of("own").next();
  return out;
}

}  // namespace wh
