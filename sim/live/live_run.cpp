#include "sim/live/live_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "nodes/common/version.hpp"
#include "nodes/parts/clock.hpp"
#include "sim/live/run_folder.hpp"
#include "sim/live/stage.hpp"
#include "sim/process/machine.hpp"
#include "sim/report/numbers.hpp"
#include "sim/report/report_html.hpp"
#include "sim/report/results_file.hpp"

namespace wh {

using namespace sim_report;

namespace {

/// What a cluster takes at most, for the check before the start; docs/scale.md has what was measured.
constexpr std::uint64_t hub_bytes_per_cluster = 60 << 10;
constexpr std::uint64_t simulator_bytes_per_cluster = 110 << 10;

/// How long what was acknowledged may take to show up after the last phase; less if nothing moves for --patience.
constexpr duration on_its_way_max = std::chrono::seconds(30);

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
                        {"patience", human_duration(o.patience)},
                        {"threads for the spokes' actors", std::to_string(o.threads)}};
  if (o.transport == link_transport::memory)
    info.configuration.push_back(
        {"process", "hub and clusters share one: its memory and CPU are counted together, as the simulator's"});
  for (const auto& flag : o.hub_flags) info.configuration.push_back({"hub flag", flag});
  info.machine = describe_machine();
  return info;
}

/// A hub that was not started here cannot be restarted or paused here.
std::vector<std::string> leave_out(live_options& o) {
  std::vector<std::string> out;
  if (o.kubeconfig.empty()) return out;
  std::erase_if(o.plan.phases, [&](const phase_spec& each) {
    if (each.kind() != phase_kind::restart && each.kind() != phase_kind::pause) return false;
    out.emplace_back(to_string(each.kind()));
    return true;
  });
  return out;
}

void announce(const live_options& o, const std::vector<std::string>& left_out, const live_listener& listener) {
  if (!listener.say) return;
  const auto clusters = show_count(static_cast<std::uint64_t>(o.clusters));
  listener.say(fmt::format("{} clusters, scenario {}, seed {}{}{}", clusters, o.plan.name, o.seed,
                           o.plan.description.empty() ? "" : ": ", o.plan.description));
  if (!left_out.empty())
    listener.say(fmt::format("left out, because the hub was not started here: {}", fmt::join(left_out, ", ")));
  if (!o.plan.fleet.claims.empty()) listener.say("the scenario's claims are not reported: spokes cannot do that yet");
}

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
             {"hub_rss_anon_bytes_per_cluster", {40 * 1024, direction::at_most}},
             {"idle_cpu_fraction", {0.03, direction::at_most}},
             {"idle_disk_writes", {0, direction::at_most}},
             {"lost", {0, direction::at_most}}};
  if (clusters > 10'000) return g;  // what grows with the fleet has no goal beyond
  g["fanout_all_s"] = {clusters <= 1000 ? 1.0 : 10.0, direction::at_most};
  g["restart_to_sync_s"] = {60, direction::at_most};
  g["storm_to_sync_s"] = {60, direction::at_most};
  return g;
}

namespace {

void count_lost_clusters(stage& s, const std::vector<document>& there, loss_count& count) {
  std::set<std::string> names;
  for (const auto& doc : there) names.insert(std::string(name_of(doc)));
  for (std::size_t i = 0; i < s.size(); ++i)
    if (s.spokes.synced(i) && !names.contains(s.fleet->name(i)))
      count.add("cluster " + s.fleet->name(i) + " had joined and is not on the hub");
}

void count_lost_works(stage& s, const std::vector<document>& there, bool read_only, loss_count& count) {
  // The hub's list, not the watch's memory, is what a user would find.
  std::map<work_board::key, generation> found;
  for (const auto& doc : there) {
    const auto sight = sight_of_work(doc);
    found[{sight.cluster, sight.name}] = sight.up(sight.wanted) ? sight.wanted : generation();
  }
  std::size_t waiting = 0;
  for (const auto& [work, wanted] : s.works.promised()) {
    const auto it = found.find(work);
    if (it == found.end()) count.add(fmt::format("work {}/{} is not on the hub", work.cluster, work.name));
    // A hub that takes no writes takes no reports either: their spokes keep them.
    else if (it->second < wanted && read_only) ++waiting;
    else if (it->second < wanted)
      count.add(fmt::format("work {}/{} is not reported at its newest generation", work.cluster, work.name));
  }
  if (waiting > 0) count.problems.push_back(fmt::format("{} works wait for a hub that takes their reports", waiting));
}

}  // namespace

void loss_count::add(std::string what) {
  if (++lost <= named_max) problems.push_back(std::move(what));
}

result<loss_count> count_lost(stage& s) {
  // What is on its way may arrive; what is lost will not.
  const auto until = stage::clock::now() + on_its_way_max;
  auto patient_until = stage::clock::now() + s.options.patience;
  for (auto missing = s.works.missing(SIZE_MAX).size(); missing > 0 && !s.stop;) {
    const auto now = stage::clock::now();
    if (now >= std::min(until, patient_until)) break;
    s.works.wait_change(std::chrono::milliseconds(100));
    const auto left = s.works.missing(SIZE_MAX).size();
    if (left < missing) patient_until = now + s.options.patience;
    missing = left;
  }
  const auto clusters = s.admin->list("/apis/cluster.open-cluster-management.io/v1/managedclusters");
  if (!clusters) return clusters.err();
  const auto works = s.admin->list("/apis/work.open-cluster-management.io/v1/manifestworks");
  if (!works) return works.err();
  loss_count count;
  const auto ready = s.admin->text("/readyz");
  if (!ready) count.problems.push_back("the hub takes no writes: " + ready.err().message);
  count_lost_clusters(s, *clusters, count);
  count_lost_works(s, *works, !ready.ok(), count);
  return count;
}

namespace {

/// What a hub of somebody else's shall not keep: whoever finds the token could join.
void take_token_back(stage& s) {
  if (s.options.kubeconfig.empty()) return;
  const auto gone = s.admin->remove("/api/v1/namespaces/kube-system/secrets/bootstrap-token-" + s.token_id);
  if (!gone && gone.err().code != errc::not_found)
    s.results.problems.push_back("the fleet's join token could not be removed: " + gone.err().message);
}

/// Without an answer of the hub nothing is known, which is not the same as nothing lost.
void tell_losses(stage& s) {
  auto& problems = s.results.problems;
  const auto count = count_lost(s);
  if (!count) return problems.push_back("the hub could not be asked what it holds: " + count.err().message);
  s.results.head.lost = static_cast<double>(count->lost);
  problems.insert(problems.end(), count->problems.begin(), count->problems.end());
}

result<run_results> play(const live_options& options, const live_listener& listener, const std::atomic<bool>& stop,
                         const std::vector<std::string>& left_out) {
  stage s(options, listener, stop);
  s.results.info = describe(options);
  if (!left_out.empty())
    s.results.info.configuration.push_back({"phases left out", fmt::format("{}", fmt::join(left_out, ", "))});
  s.results.goals = scale_goals(options.clusters);
  if (auto ok = s.open(); !ok) return ok.err();
  run_phases(s);
  if (!stop && !s.fatal) tell_losses(s);
  if (!stop) take_token_back(s);
  s.results.samples = s.samples->samples();
  s.results.info.duration_s = s.seconds();
  return std::move(s.results);
}

}  // namespace

result<run_results> run_live(const live_options& asked, const live_listener& listener, const std::atomic<bool>& stop) {
  if (auto ok = check_machine(asked); !ok) return ok.err();
  const auto folder = run_folder::open(asked.out_dir);
  if (!folder) return folder.err();
  live_options options = asked;
  options.out_dir = folder->path();
  const auto left_out = leave_out(options);
  announce(options, left_out, listener);
  auto results = play(options, listener, stop, left_out);
  if (stop) {
    folder->undo();
    return fail(errc::unavailable,
                options.kubeconfig.empty()
                    ? "interrupted; nothing is left of the run"
                    : "interrupted; what the run has made on the hub is still there: clusters called " +
                          options.plan.fleet.prefix + "-…");
  }
  if (!results) {
    folder->undo_if_wordless();
    return results.err();
  }
  if (auto ok = write_results(options.out_dir, *results); !ok) return ok.err();
  if (auto ok = write_report(options.out_dir, *results); !ok) return ok.err();
  return results;
}

}  // namespace wh
