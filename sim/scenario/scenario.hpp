#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

/// What a live scale run does: how the fleet looks, and what happens to it, phase by phase. docs/scenarios.md is the users'
/// page; the defaults here and the bounds below are those that it names.
namespace wh {

/// Bounds on what a scenario may ask for. They keep a slip of the pen from filling a disk or running for a week.
namespace scenario_limits {
inline constexpr int clusters_max = 100'000;  ///< so that a name's number has five digits
inline constexpr std::size_t file_bytes_max = 256 * 1024;
inline constexpr std::size_t regions_max = 100;
inline constexpr std::size_t capacities_max = 50;  ///< choices of one region
inline constexpr std::size_t sets_max = 50;        ///< labels, claims; of each
inline constexpr std::size_t values_max = 200;     ///< of one label or claim
inline constexpr std::uint32_t weight_max = 1'000'000;
inline constexpr std::size_t phases_max = 100;
inline constexpr std::size_t prefix_length_max = 50;
inline constexpr duration latency_max = std::chrono::seconds(10);
inline constexpr duration object_delay_max = std::chrono::minutes(10);
inline constexpr duration lease_min = std::chrono::seconds(1);
inline constexpr duration lease_max = std::chrono::hours(1);
inline constexpr std::int64_t cpu_milli_min = 100;
inline constexpr std::int64_t cpu_milli_max = 1'000'000'000;
inline constexpr std::int64_t memory_bytes_min = std::int64_t{64} << 20;
inline constexpr std::int64_t memory_bytes_max = std::int64_t{1} << 50;
inline constexpr double jitter_max = 0.9;
inline constexpr double join_rate_max = 10'000;  ///< clusters per second
inline constexpr int at_once_max = 10'000;
inline constexpr double probes_max = 1'000;  ///< per second
inline constexpr int works_max = 1'000;      ///< for each cluster
/// A hub takes manifests of 500 KiB (--manifest-limit); the rest is for what surrounds the payload.
inline constexpr std::int64_t work_bytes_max = 480 * 1024;
inline constexpr duration phase_length_min = std::chrono::milliseconds(100);
inline constexpr duration phase_length_max = std::chrono::hours(24);
inline constexpr duration downtime_max = std::chrono::hours(1);
inline constexpr std::size_t mistakes_max = 20;  ///< reported of one file
}  // namespace scenario_limits

// --- the fleet -------------------------------------------------------------------------------------------------------

struct duration_range {
  duration min{};
  duration max{};
  friend bool operator==(const duration_range&, const duration_range&) = default;
};

struct weighted_value {
  std::string value;
  std::uint32_t weight = 1;  ///< 0: never
  friend bool operator==(const weighted_value&, const weighted_value&) = default;
};

/// A label or claim of which every cluster gets one value.
struct weighted_set {
  std::string name;
  std::vector<weighted_value> values;
  friend bool operator==(const weighted_set&, const weighted_set&) = default;
};

/// One size that a cluster may have.
struct capacity_choice {
  std::uint32_t weight = 1;
  std::int64_t cpu_milli = 8'000;
  std::int64_t memory_bytes = std::int64_t{32} << 30;
  double jitter = 0;  ///< 0.1: each cluster is up to a tenth smaller or larger
  friend bool operator==(const capacity_choice&, const capacity_choice&) = default;
};

struct region_spec {
  std::string name = "local";
  std::uint32_t share = 1;  ///< weight among the regions
  std::map<std::string, std::string> labels = {};
  duration_range latency = {};  ///< delay of the link, on top of the machine's own
  std::vector<capacity_choice> capacities = {capacity_choice{}};
  friend bool operator==(const region_spec&, const region_spec&) = default;
};

/// How a cluster treats the objects that its spoke applies.
struct behaviour_spec {
  duration_range available_after = {};  ///< from applied to Available
  double failure_rate = 0;              ///< share of applies that the cluster refuses
  double stuck_rate = 0;                ///< share of objects that never become Available
  friend bool operator==(const behaviour_spec&, const behaviour_spec&) = default;
};

struct fleet_spec {
  std::string prefix = "sim";                ///< of the clusters' names
  duration lease = std::chrono::minutes(1);  ///< whole seconds, spec.leaseDurationSeconds
  std::vector<region_spec> regions = {region_spec{}};
  std::vector<weighted_set> labels = {};
  std::vector<weighted_set> claims = {};
  behaviour_spec behaviour = {};
  friend bool operator==(const fleet_spec&, const fleet_spec&) = default;
};

// --- the phases ------------------------------------------------------------------------------------------------------

/// Every cluster registers, is accepted and becomes Available.
struct join_phase {
  double rate = 0;   ///< clusters started per second; 0: as fast as possible
  int at_once = 64;  ///< clusters that may be joining at a time
  friend bool operator==(const join_phase&, const join_phase&) = default;
};
/// Nothing but heartbeats, and probes: a small change to one work, timed until its status is back at the hub.
struct steady_phase {
  duration length = std::chrono::seconds(30);
  double probes = 1;  ///< round trips measured per second; 0: none
  friend bool operator==(const steady_phase&, const steady_phase&) = default;
};
/// Creates works on every cluster and waits until all are Applied and Available (as far as the fleet's behaviour allows).
struct fan_out_phase {
  int works = 1;              ///< for each cluster
  std::int64_t bytes = 1024;  ///< payload of one work
  friend bool operator==(const fan_out_phase&, const fan_out_phase&) = default;
};
/// Changes every work that the last fan-out made.
struct update_phase {
  std::int64_t bytes = 1024;
  friend bool operator==(const update_phase&, const update_phase&) = default;
};
/// Many works at once for a few clusters.
struct burst_phase {
  int clusters = 10;  ///< all of them if there are fewer
  int works = 10;     ///< for each of these clusters
  std::int64_t bytes = 1024;
  friend bool operator==(const burst_phase&, const burst_phase&) = default;
};
/// Clusters lose their links and dial again, all the time.
struct churn_phase {
  double share = 0.01;  ///< of the clusters, per second
  duration length = std::chrono::seconds(30);
  friend bool operator==(const churn_phase&, const churn_phase&) = default;
};
/// Every link breaks at once, and after the downtime every cluster dials.
struct storm_phase {
  duration downtime = std::chrono::seconds(5);
  friend bool operator==(const storm_phase&, const storm_phase&) = default;
};
enum class stop_signal : std::uint8_t { kill, term };
/// The hub's process ends by a signal and is started again.
struct restart_phase {
  stop_signal signal = stop_signal::kill;
  duration downtime = std::chrono::seconds(2);
  friend bool operator==(const restart_phase&, const restart_phase&) = default;
};
/// The hub's process stands still (SIGSTOP) and goes on: a machine that swaps, or is moved.
struct pause_phase {
  duration length = std::chrono::seconds(10);
  friend bool operator==(const pause_phase&, const pause_phase&) = default;
};
/// Some clusters are deleted at the hub.
struct evict_phase {
  double share = 0.01;
  friend bool operator==(const evict_phase&, const evict_phase&) = default;
};

/// In the order of the alternatives of phase_spec::what.
enum class phase_kind : std::uint8_t { join, steady, fan_out, update, burst, churn, storm, restart, pause, evict };
inline constexpr std::array<std::string_view, 10> phase_names = {"join",  "steady", "fan_out", "update", "burst",
                                                                 "churn", "storm",  "restart", "pause",  "evict"};

struct phase_spec {
  std::variant<join_phase, steady_phase, fan_out_phase, update_phase, burst_phase, churn_phase, storm_phase,
               restart_phase, pause_phase, evict_phase>
      what;
  phase_kind kind() const { return static_cast<phase_kind>(what.index()); }
  friend bool operator==(const phase_spec&, const phase_spec&) = default;
};
static_assert(std::variant_size_v<decltype(phase_spec::what)> == phase_names.size());

/// The word that scenario files use for it.
constexpr std::string_view to_string(phase_kind kind) { return phase_names[static_cast<std::size_t>(kind)]; }

// --- the whole -------------------------------------------------------------------------------------------------------

struct scenario {
  std::string name;
  std::string description;
  std::uint64_t seed = 1;
  std::optional<int> clusters;  ///< how many when the command line does not say
  fleet_spec fleet;
  std::vector<phase_spec> phases;  ///< starts with join
  friend bool operator==(const scenario&, const scenario&) = default;
};

/// Reads a scenario; `file` is what mistakes are attributed to. The error lists all of them (up to mistakes_max), one a line:
/// `edge.yaml:12: fleet.regions[1].share: must be between 0 and 1000000, not -1`.
result<scenario> read_scenario(std::string_view yaml, std::string_view file);
result<scenario> read_scenario_file(const std::string& path);

/// Has the clusters called otherwise, as fleet.prefix would; by the same rules.
result<void> set_prefix(scenario& s, const std::string& prefix);

/// How long the phases take by themselves (lengths, downtimes, a join's rate), without the work between them: what a time
/// limit for the run must allow at least.
duration scripted_time(const scenario& s, int clusters);

struct builtin_scenario_info {
  std::string_view name;
  std::string_view text;  ///< the commented file, for users to start from
};
/// The files of sim/scenarios/, by name.
const std::vector<builtin_scenario_info>& list_builtin_scenarios();
/// The error names those that there are.
result<scenario> builtin_scenario(std::string_view name);

}  // namespace wh
