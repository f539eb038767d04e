#include "tests/sim/report_samples.hpp"

#include <cmath>

#include "base/random.hpp"

using namespace wh;
using namespace wh::sim_report;

namespace {

struct plan {
  const char* name;
  const char* about;
  const char* unit;
  double begins_s;
  double ends_s;
  std::uint64_t wanted;
  double typical_ms;
};

latency_histogram latencies(rng& r, std::uint64_t count, double typical_ms) {
  latency_histogram made;
  for (std::uint64_t i = 0; i < count; ++i)
    made.add(
        duration(static_cast<std::int64_t>(typical_ms * 400 * std::exp(2.2 * r.unit() * r.unit() + 0.3 * r.unit()))));
  return made;
}

phase_result phase_of(rng& r, const plan& p) {
  phase_result phase{.name = p.name, .about = p.about, .unit = p.unit, .begins_s = p.begins_s, .ends_s = p.ends_s};
  phase.wanted = p.wanted;
  phase.failed = p.wanted > 1000 ? r.below(3) : 0;
  phase.done = p.wanted - phase.failed;
  phase.client = latencies(r, phase.done, p.typical_ms);
  if (p.typical_ms < 2000) phase.hub = latencies(r, phase.done, p.typical_ms * 0.6);
  if (p.wanted == 0) phase.skipped = "the hub <has> no process";
  if (phase.failed > 0) phase.problems.push_back("c17: no answer within 30s, tried 4 times");
  return phase;
}

/// How busy the hub is at a moment, 0 to 1.
double load_at(const run_results& run, double at_s) {
  for (const auto& phase : run.phases)
    if (at_s >= phase.begins_s && at_s < phase.ends_s) return phase.wanted == 0 ? 0.02 : 0.85;
  return 0.03;
}

void add_samples(rng& r, run_results& run) {
  const auto clusters = static_cast<double>(run.info.clusters);
  sample totals{.commits = 0, .commit_s = 0, .batches = 0, .frames_in = 0, .frames_out = 0, .works_reported = 0};
  for (double at = 1; at <= run.info.duration_s; at += 1) {
    const auto load = load_at(run, at);
    const bool down = at >= 300 && at < 304;  // the restart
    const auto commits = down ? 0 : std::floor(load * 240 * (0.8 + 0.4 * r.unit()));
    sample s = totals;
    s.at_s = at + 0.01 * r.unit();
    *s.commits += commits;
    *s.batches = *s.batches + commits * (1 + load * 12 * r.unit());
    *s.commit_s = *s.commit_s + commits * (0.001 + 0.004 * load * r.unit());
    *s.frames_in = *s.frames_in + (down ? 0 : clusters / 30 + load * 4000 * r.unit());
    *s.frames_out = *s.frames_out + (down ? 0 : clusters / 30 + load * 3200 * r.unit());
    *s.works_reported = *s.works_reported + (load > 0.5 ? 400 * r.unit() : 0);
    if (at == 304)
      s.commits = s.commit_s = s.batches = s.frames_in = s.frames_out = s.works_reported = 0;  // counters too
    totals = s;
    s.hub_cpu_fraction = load * (1.2 + 0.3 * r.unit());
    s.sim_cpu_fraction = load * (0.7 + 0.2 * r.unit());
    s.members_connected = std::min(clusters, std::floor(clusters * at / 95));
    if (at >= 304 && at < 318) s.members_connected = std::floor(clusters * (at - 304) / 14);
    s.hub_rss_anon_bytes = 31e6 + *s.members_connected * 19000 + 4e6 * load * r.unit();
    s.hub_rss_file_bytes = 42e6 + at * 1e5;
    s.sim_rss_anon_bytes = 90e6 + *s.members_connected * 24000;
    s.hub_disk_written_bytes = *s.batches * 9000;
    s.store_revision = *s.batches * 2;
    s.mailbox_depth_max = std::floor(load * 40 * r.unit());
    s.mailbox_depth_total = *s.mailbox_depth_max * 6;
    if (down) {
      for (const auto& column : sample_columns()) s.*column.member = std::nullopt;
      s.sim_cpu_fraction = 0.4;
      s.members_connected = 0;
    }
    run.samples.push_back(s);
  }
}

void add_headline(run_results& run) {
  run.head = {.join_per_s = 52.4,
              .fanout_p50_s = 3.1,
              .fanout_p99_s = 9.84,
              .fanout_all_s = 11.2,
              .work_roundtrip_p99_ms = 14.3,
              .restart_to_sync_s = 18.9,
              .storm_to_sync_s = std::nullopt,
              .hub_rss_anon_bytes_per_cluster = 19456,
              .idle_cpu_fraction = 0.034,
              .idle_disk_writes = 0,
              .lost = 0};
  run.goals = {{"join_per_s", {50, direction::at_least}},
               {"fanout_all_s", {10, direction::at_most}},
               {"work_roundtrip_p99_ms", {50, direction::at_most}},
               {"storm_to_sync_s", {30, direction::at_most}},
               {"hub_rss_anon_bytes_per_cluster", {32768, direction::at_most}},
               {"lost", {0, direction::at_most}}};
}

}  // namespace

run_results made_up_run(std::uint64_t seed, std::uint64_t clusters) {
  rng r(seed);
  run_results run;
  run.info = {
      .started_at = instant(std::chrono::seconds(1'790'000'000)),
      .duration_s = 432.6,
      .scenario = "everything",
      .seed = seed,
      .clusters = clusters,
      .software_version = "0.1.0",
      .git_commit = "e8f7f1d",
      .fsync_mode = "every commit",
      .configuration = {{"lease", "60s"}, {"works per cluster", "1"}, {"objects per work", "3"}, {"accept", "auto"}},
      .machine = {"Imaginary CPU @ 3.0 GHz", 2, 8ull << 30, "Linux 6.1.0", 1048576}};
  const plan plans[] = {
      {"join", "Every cluster registers with the hub and is accepted.", "clusters", 0.4, 96, clusters, 400},
      {"steady", "Nothing is asked for; only heartbeats pass.", "", 96, 156, 0, 0},
      {"fan-out", "One work is created for each cluster, all at once.", "works", 156, 168, clusters, 3100},
      {"update", "Every work is changed once.", "works", 170, 184, clusters, 2600},
      {"single", "One work after another on a quiet system.", "works", 186, 206, 500, 9},
      {"burst", "Two hundred works for each of ten clusters.", "works", 206, 226, 2000, 700},
      {"churn", "Clusters leave and come back at random.", "links", 226, 286, 1200, 35},
      {"restart", "The hub is stopped and started again.", "clusters", 300, 319, clusters, 9000},
      {"pause", "The hub's process is frozen for ten seconds.", "clusters", 330, 345, clusters, 1200},
      {"evict", "A tenth of the clusters is removed from the hub.", "clusters", 400, 420, clusters / 10, 80},
  };
  for (const auto& p : plans) run.phases.push_back(phase_of(r, p));
  run.phases[1].figures = {{"hub CPU", 0.034, "cores"}, {"disk writes", 0, ""}};
  run.phases[7].figures = {{"hub ready after", 3.4, "s"}, {"reports sent again", 112, ""}, {"never measured", {}, "s"}};
  add_samples(r, run);
  add_headline(run);
  run.problems = {"open files: 1,048,576 allowed, 12,000 used at most"};
  return run;
}
