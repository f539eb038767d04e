// Joining, being idle, leaving.
#include <fmt/format.h>

#include <thread>

#include "sim/live/stage.hpp"
#include "sim/scenario/cluster_profile.hpp"

namespace wh {

using sim_report::link_transport;
using sim_report::phase_result;

namespace {

constexpr const char* clusters_path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
constexpr const char* probe_name = "probe";

/// Labels and lease are the hub administrator's to set, so that is who sets them. Not timed with the join.
void describe_clusters(stage& s, phase_result& phase) {
  std::atomic<std::size_t> done = 0;
  std::atomic<std::size_t> failed = 0;
  std::size_t asked = 0;
  const auto lease = std::chrono::duration_cast<std::chrono::seconds>(s.options.plan.fleet.lease).count();
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto profile = profile_of(s.options.plan, s.options.seed, static_cast<int>(i));
    document patch = document::object();
    for (const auto& [name, value] : profile.labels) patch["metadata"]["labels"][name] = value;
    if (lease != 60) patch["spec"]["leaseDurationSeconds"] = lease;
    if (patch.empty()) continue;
    ++asked;
    s.admin->merge_patch(fmt::format("{}/{}", clusters_path, profile.name), patch, [&](const result<document>& r) {
      if (!r.ok()) ++failed;
      ++done;
    });
  }
  phase_result labelling = phase;
  labelling.name = "label";
  labelling.problems.clear();
  const bool all = s.wait(labelling, {static_cast<double>(asked), [&] { return static_cast<double>(done.load()); }});
  // The callbacks refer to what is above.
  while (done < asked) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (auto& problem : labelling.problems) phase.problems.push_back("labelling: " + problem);
  if (all && failed > 0) phase.problems.push_back(fmt::format("{} clusters could not be labelled", failed.load()));
}

/// What the hub uses while nothing but heartbeats happens.
void measure_idle(stage& s, phase_result& phase, duration length) {
  s.samples->spare_hub(true);
  const auto pid = s.hub->pid();
  const auto commits = [&] {
    const auto m = s.admin->scrape();
    return m ? m->value("wheelhouse_store_commits_total") : std::nullopt;
  };
  const auto commits_before = commits();
  const bool shared = s.options.transport == link_transport::memory;
  const auto look = [&] { return pid ? sample_process(*pid) : shared ? sample_self() : fail(errc::not_found, ""); };
  const auto before = look();
  const auto began = stage::clock::now();
  const bool whole = s.sleep(phase, length);
  const double passed = std::chrono::duration<double>(stage::clock::now() - began).count();
  const auto after = look();
  const auto commits_after = commits();
  s.samples->spare_hub(false);
  if (!whole) return;
  auto& head = s.results.head;
  if (commits_before && commits_after) {
    phase.figures.push_back({"idle commits", *commits_after - *commits_before, ""});
    if (!head.idle_disk_writes) head.idle_disk_writes = *commits_after - *commits_before;
  }
  if (!before || !after) return;
  const double cpu = (after->cpu_s() - before->cpu_s()) / passed;
  const double members = static_cast<double>(s.spokes.now().synced);
  const double each = members > 0 ? (static_cast<double>(after->memory.rss_anon_bytes) - s.rss_empty) / members : 0;
  // Of a process that is hub and clusters at once, no headline speaks.
  const std::string whose = shared ? "hub and simulator" : "hub";
  phase.figures.push_back({shared ? "idle processor, hub and simulator" : "idle processor", cpu, "cores"});
  phase.figures.push_back({whose + " memory per cluster", each, "bytes"});
  phase.figures.push_back({whose + " memory in all", static_cast<double>(after->memory.rss_anon_bytes), "bytes"});
  if (shared) return;
  if (!head.idle_cpu_fraction) head.idle_cpu_fraction = cpu;
  if (!head.hub_rss_anon_bytes_per_cluster && members > 0) head.hub_rss_anon_bytes_per_cluster = each;
}

/// A cluster that is there, at random.
std::optional<std::size_t> any_cluster(stage& s) {
  for (int tries = 0; tries < 100; ++tries) {
    const auto i = static_cast<std::size_t>(s.random.below(s.size()));
    if (!s.evicted.contains(i) && s.spokes.synced(i)) return i;
  }
  return std::nullopt;
}

/// One small change to one work, until its status is back. False: refused, or given up.
bool probe(stage& s, phase_result& phase) {
  const auto i = any_cluster(s);
  if (!i) return false;
  const work_board::key work{s.fleet->name(*i), probe_name};
  const auto then = [&s, work](const result<generation>& r) {
    if (r) s.works.acknowledged(work, *r);
    else s.works.refused(work, r.err());
  };
  const auto open = [&] { return s.works.now().open == 0 ? 1.0 : 0.0; };
  const auto refused_before = s.works.now().failed;
  const auto went_well = [&] { return s.wait(phase, {1, open}) && s.works.now().failed == refused_before; };
  if (s.probed.insert(*i).second) {
    const auto times_so_far = s.works.take_times();
    s.works.sent(work);
    create_work(*s.admin, work.cluster, work.name, 64, then);
    const bool made = went_well();
    (void)s.works.take_times();  // a creation is another thing than a change
    phase.client.merge(times_so_far);
    if (!made) {
      s.probed.erase(*i);
      return false;
    }
  }
  s.works.sent(work);
  update_work(*s.admin, work.cluster, work.name, 64, ++s.editions, then);
  return went_well();
}

void measure_round_trips(stage& s, phase_result& phase, duration length, double per_second) {
  const auto began = stage::clock::now();
  const auto count = static_cast<std::uint64_t>(std::chrono::duration<double>(length).count() * per_second);
  for (std::uint64_t n = 0; n < count && s.fit(phase); ++n) {
    ++phase.wanted;
    if (probe(s, phase)) ++phase.done;
    else ++phase.failed;
    // One that was given up says what the others would: each would cost as much patience.
    if (s.works.now().open > 0) break;
    const auto due = began + std::chrono::duration_cast<stage::clock::duration>(
                                 std::chrono::duration<double>(static_cast<double>(n + 1) / per_second));
    std::this_thread::sleep_until(std::min(due, stage::clock::now() + std::chrono::seconds(1)));
  }
  if (const auto& problem = s.works.now().last_problem; !problem.empty()) phase.problems.push_back(problem);
  phase.client.merge(s.works.take_times());
  if (!s.results.head.work_roundtrip_p99_ms && !phase.client.empty())
    s.results.head.work_roundtrip_p99_ms =
        std::chrono::duration<double, std::milli>(phase.client.percentile(99)).count();
}

}  // namespace

phase_result run(stage& s, const join_phase& p) {
  phase_result phase{.name = "join",
                     .about =
                         "Every cluster makes a key, asks for membership, is approved and accepted, gets its "
                         "certificate, connects with it and sends its first heartbeat.",
                     .unit = "clusters",
                     .begins_s = s.seconds(),
                     .wanted = s.size()};
  const auto began = stage::clock::now();
  for (std::size_t i = 0; i < s.size() && s.fit(phase);) {
    const auto now = s.spokes.now();
    s.show(phase, static_cast<double>(now.synced), static_cast<double>(s.size()));
    const double seconds = std::chrono::duration<double>(stage::clock::now() - began).count();
    const bool due = p.rate <= 0 || static_cast<double>(i) < seconds * p.rate;
    if (now.expected >= static_cast<std::size_t>(p.at_once) || !due) {
      s.spokes.wait_change(std::chrono::milliseconds(20));
      continue;
    }
    s.spokes.expect(i);
    if (auto ok = s.fleet->start(i); !ok) phase.problems.push_back(s.fleet->name(i) + ": " + ok.err().message);
    ++i;
  }
  s.wait(phase, {static_cast<double>(s.size()), [&] { return static_cast<double>(s.spokes.now().synced); }});
  phase.ends_s = s.seconds();
  const auto now = s.spokes.now();
  phase.done = now.synced;
  phase.failed = s.size() - now.synced;
  if (now.gave_up > 0) phase.problems.push_back(fmt::format("{} gave up: {}", now.gave_up, now.last_give_up));
  phase.client = s.spokes.take_times();
  if (phase.done == 0 && s.fit(phase)) {
    phase.problems.push_back("no cluster could join, so the run ends here");
    s.fatal = true;
  }
  const auto approvals = s.yes->figures();
  if (approvals.failures > 0) phase.problems.push_back("approving failed: " + approvals.last_problem);
  const double took = phase.ends_s - phase.begins_s;
  if (phase.done == s.size() && took > 0) s.results.head.join_per_s = static_cast<double>(phase.done) / took;
  if (s.fit(phase)) describe_clusters(s, phase);
  return phase;
}

phase_result run(stage& s, const steady_phase& p) {
  phase_result phase{.name = "steady",
                     .about =
                         "Nothing but heartbeats at first; then now and then a small change to one work of one "
                         "cluster, timed until the hub shows the cluster's answer.",
                     .unit = "round trips",
                     .begins_s = s.seconds()};
  const duration idle = p.probes > 0 ? p.length / 2 : p.length;
  measure_idle(s, phase, idle);
  if (p.probes > 0) measure_round_trips(s, phase, p.length - idle, p.probes);
  return phase;
}

phase_result run(stage& s, const evict_phase& p) {
  phase_result phase{
      .name = "evict",
      .about = "Some clusters are deleted at the hub; each cleans up what the hub had put there and is gone.",
      .unit = "clusters",
      .begins_s = s.seconds()};
  const auto count = static_cast<std::size_t>(std::max(1.0, p.share * static_cast<double>(s.size())));
  std::vector<std::size_t> leaving;
  while (leaving.size() < count) {
    const auto i = any_cluster(s);
    if (!i) break;
    if (s.evicted.insert(*i).second) leaving.push_back(*i);
  }
  phase.wanted = leaving.size();
  std::atomic<std::size_t> answered = 0;
  std::atomic<std::size_t> refused = 0;
  for (const auto i : leaving) {
    s.spokes.dismiss(i);
    s.works.forget_cluster(s.fleet->name(i));
    s.admin->remove(fmt::format("{}/{}", clusters_path, s.fleet->name(i)), [&](const result<document>& r) {
      if (!r.ok()) ++refused;
      ++answered;
    });
  }
  const auto gone = [&] {
    std::size_t n = 0;
    for (const auto i : leaving) n += s.roll.deleted(s.fleet->name(i));
    return static_cast<double>(n);
  };
  s.wait(phase, {static_cast<double>(leaving.size()), gone});
  while (answered < leaving.size()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  phase.done = static_cast<std::uint64_t>(gone());
  phase.failed = leaving.size() - phase.done;
  if (refused > 0) phase.problems.push_back(fmt::format("{} deletions were refused", refused.load()));
  std::size_t littered = 0;
  for (const auto i : leaving) {
    littered += s.fleet->cluster(i).objects("ConfigMap") > 0;
    s.fleet->kill(i);
  }
  if (littered > 0) phase.problems.push_back(fmt::format("{} clusters left with objects of the hub on them", littered));
  return phase;
}

}  // namespace wh
