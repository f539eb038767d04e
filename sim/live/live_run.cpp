#include "sim/live/live_run.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "nodes/common/files.hpp"
#include "nodes/common/version.hpp"
#include "nodes/parts/clock.hpp"
#include "sim/live/stage.hpp"
#include "sim/process/machine.hpp"
#include "sim/report/report_html.hpp"
#include "sim/report/results_file.hpp"

namespace wh {

using namespace sim_report;

namespace {

/// What a cluster takes at most, for the check before the start; docs/scale.md has what was measured.
constexpr std::uint64_t hub_bytes_per_cluster = 100 << 10;
constexpr std::uint64_t simulator_bytes_per_cluster = 150 << 10;

result<void> check_machine(const live_options& o) {
  capacity_need need;
  need.clusters = static_cast<std::uint64_t>(o.clusters);
  need.own_hub = o.kubeconfig.empty();
  if (o.transport == link_transport::memory) need.transport = cluster_transport::none;
  need.simulator_bytes_per_cluster = simulator_bytes_per_cluster;
  need.hub_bytes_per_cluster = hub_bytes_per_cluster;
  return check_capacity(need);
}

machine_info describe_machine() {
  const auto here = read_machine();
  if (!here) return {};
  return {here->cpu_model, here->cores, here->memory_bytes, here->kernel, here->descriptors.soft};
}

run_info describe(const live_options& o) {
  run_info info;
  info.started_at = wall_clock();
  info.scenario = o.plan.name;
  info.seed = o.seed;
  info.clusters = static_cast<std::uint64_t>(o.clusters);
  info.hub = o.kubeconfig.empty() ? hub_origin::started : hub_origin::attached;
  info.transport = o.transport;
  info.software_version = std::string(software_version());
  info.fsync_mode = o.kubeconfig.empty() ? "on" : "unknown";
  info.configuration = {{"scenario", o.plan.description},
                        {"lease", human_duration(o.plan.fleet.lease)},
                        {"regions", std::to_string(o.plan.fleet.regions.size())},
                        {"threads for the spokes' actors", std::to_string(o.threads)}};
  if (o.transport == link_transport::memory)
    info.configuration.push_back(
        {"process", "hub and clusters share one: its memory and CPU are counted together, as the simulator's"});
  for (const auto& flag : o.hub_flags) info.configuration.push_back({"hub flag", flag});
  info.machine = describe_machine();
  return info;
}

/// Nothing of an interrupted run stays but what was there before.
class folder_guard {
 public:
  explicit folder_guard(std::string dir) : dir_(std::move(dir)), was_there_(std::filesystem::exists(dir_)) {}
  void undo() const {
    std::error_code ignored;
    if (!was_there_) std::filesystem::remove_all(dir_, ignored);
    else std::filesystem::remove(dir_ + "/hub.log", ignored);
  }

 private:
  std::string dir_;
  bool was_there_;
};

void run_phases(stage& s) {
  for (const auto& each : s.options.plan.phases) {
    if (s.stop || s.fatal) return;
    s.results.phases.push_back(run_phase(s, each));
    if (s.tell.phase_done && !s.stop) s.tell.phase_done(s.results.phases.back());
  }
}

}  // namespace

goals scale_goals(int clusters) {
  goals g = {{"join_per_s", {200, direction::at_least}},
             {"work_roundtrip_p99_ms", {50, direction::at_most}},
             {"restart_to_sync_s", {60, direction::at_most}},
             {"storm_to_sync_s", {60, direction::at_most}},
             {"hub_rss_anon_bytes_per_cluster", {40 * 1024, direction::at_most}},
             {"idle_cpu_fraction", {0.03, direction::at_most}},
             {"idle_disk_writes", {0, direction::at_most}},
             {"lost", {0, direction::at_most}}};
  g["fanout_all_s"] = {clusters <= 1000 ? 1.0 : 10.0, direction::at_most};
  return g;
}

std::uint64_t count_lost(stage& s, std::vector<std::string>& problems) {
  // What is on its way may arrive; what is lost will not.
  for (int tries = 0; tries < 300 && !s.stop && !s.works.missing(1).empty(); ++tries)
    s.works.wait_change(std::chrono::milliseconds(100));
  const auto here = s.admin->list("/apis/cluster.open-cluster-management.io/v1/managedclusters", "limit=500");
  const auto works = s.admin->list("/apis/work.open-cluster-management.io/v1/manifestworks", "limit=500");
  if (!here || !works) {
    problems.push_back("the hub could not be asked what it holds: " + (here ? works.err() : here.err()).message);
    return 0;
  }
  std::set<std::string> names;
  for (const auto& doc : *here) names.insert(std::string(name_of(doc)));
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < s.size(); ++i)
    if (s.spokes.synced(i) && !names.contains(s.fleet->name(i))) {
      ++lost;
      problems.push_back("cluster " + s.fleet->name(i) + " had joined and is not on the hub");
    }
  // The hub's list, not the watch's memory, is what a user would find.
  std::map<work_board::key, generation> found;
  for (const auto& doc : *works) {
    const auto sight = sight_of_work(doc);
    found[{sight.cluster, sight.name}] = sight.up(sight.wanted) ? sight.wanted : generation();
  }
  for (const auto& [work, wanted] : s.works.promised())
    if (const auto it = found.find(work); it == found.end() || it->second < wanted) {
      ++lost;
      if (lost < 10)
        problems.push_back(fmt::format("work {}/{} is {}", work.cluster, work.name,
                                       it == found.end() ? "not on the hub" : "not reported at its newest generation"));
    }
  return lost;
}

result<run_results> run_live(const live_options& options, const live_listener& listener,
                             const std::atomic<bool>& stop) {
  if (auto ok = check_machine(options); !ok) return ok.err();
  const folder_guard folder(options.out_dir);
  if (auto ok = make_folder(options.out_dir, 0755); !ok) return ok.err();
  run_results results;
  {
    stage s(options, listener, stop);
    s.results.info = describe(options);
    s.results.goals = scale_goals(options.clusters);
    if (auto ok = s.open(); !ok) return ok.err();
    run_phases(s);
    if (!stop && !s.fatal) s.results.head.lost = static_cast<double>(count_lost(s, s.results.problems));
    s.results.samples = s.samples->samples();
    s.results.info.duration_s = s.seconds();
    results = std::move(s.results);
  }
  if (stop) {
    folder.undo();
    return fail(errc::unavailable, "interrupted; nothing is left of the run");
  }
  if (auto ok = write_results(options.out_dir, results); !ok) return ok.err();
  if (auto ok = write_report(options.out_dir, results); !ok) return ok.err();
  return results;
}

}  // namespace wh
