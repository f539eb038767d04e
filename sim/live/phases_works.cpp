// Works to many clusters, and many to few.
#include <fmt/format.h>

#include "sim/live/stage.hpp"

namespace wh {

using sim_report::phase_result;

namespace {

double in_seconds(duration d) { return std::chrono::duration<double>(d).count(); }

/// Sends a write for each work at once, and waits for all their answers. Every work's time counts from here, as if one
/// object were to be replicated.
template <class Send>
void write_all(stage& s, phase_result& phase, const std::vector<work_board::key>& works, Send send) {
  phase.wanted = works.size();
  for (const auto& work : works) s.works.sent(work);
  for (const auto& work : works) {
    // Many large works take a while to be written down; a stop should not wait for that.
    if (!s.fit(phase)) break;
    send(work, [&s, work](const result<generation>& r) {
      if (r) s.works.acknowledged(work, *r);
      else s.works.refused(work, r.err());
    });
  }
  const auto settled = [&] {
    const auto now = s.works.now();
    return static_cast<double>(now.done + now.failed);
  };
  s.wait(phase, {static_cast<double>(works.size()), settled});
  phase.ends_s = s.seconds();
  const auto now = s.works.now();
  phase.done = now.done;
  phase.failed = works.size() - now.done;
  if (!now.last_problem.empty()) phase.problems.push_back(now.last_problem);
  phase.client = s.works.take_times();
}

std::vector<std::size_t> clusters_here(const stage& s) {
  std::vector<std::size_t> here;
  for (std::size_t i = 0; i < s.size(); ++i)
    if (!s.evicted.contains(i)) here.push_back(i);
  return here;
}

std::string fan_out_name(int n) { return fmt::format("fan-out-{}", n); }

}  // namespace

phase_result run(stage& s, const fan_out_phase& p) {
  phase_result phase{
      .name = "fan-out",
      .about = fmt::format("{} of {} bytes for every cluster at once; each counts until the hub shows it "
                           "applied and available.",
                           p.works == 1 ? "One work" : fmt::format("{} works", p.works), p.bytes),
      .unit = "works",
      .begins_s = s.seconds()};
  std::vector<work_board::key> works;
  for (const auto i : clusters_here(s))
    for (int n = 0; n < p.works; ++n) {
      work_board::key work{s.fleet->name(i), fan_out_name(n + s.fan_outs)};
      works.push_back(std::move(work));
    }
  s.fan_outs += p.works;
  s.last_fan_out = works;
  write_all(s, phase, works, [&](const work_board::key& work, admin_client::done<generation> then) {
    create_work(*s.admin, work.cluster, work.name, static_cast<std::size_t>(p.bytes), std::move(then));
  });
  auto& head = s.results.head;
  if (!head.fanout_all_s && phase.failed == 0 && !phase.client.empty()) {
    head.fanout_p50_s = in_seconds(phase.client.percentile(50));
    head.fanout_p99_s = in_seconds(phase.client.percentile(99));
    head.fanout_all_s = in_seconds(phase.client.max());
  }
  return phase;
}

phase_result run(stage& s, const update_phase& p) {
  phase_result phase{.name = "update",
                     .about = "Every work of the last fan-out is changed at once.",
                     .unit = "works",
                     .begins_s = s.seconds()};
  std::vector<work_board::key> works;
  for (const auto& work : s.last_fan_out)
    if (s.works.wanted_on(work.cluster) > 0) works.push_back(work);
  ++s.editions;
  write_all(s, phase, works, [&](const work_board::key& work, admin_client::done<generation> then) {
    update_work(*s.admin, work.cluster, work.name, static_cast<std::size_t>(p.bytes), s.editions, std::move(then));
  });
  return phase;
}

phase_result run(stage& s, const burst_phase& p) {
  phase_result phase{
      .name = "burst",
      .about = fmt::format("{} works of {} bytes for each of {} clusters at once.", p.works, p.bytes, p.clusters),
      .unit = "works",
      .begins_s = s.seconds()};
  auto here = clusters_here(s);
  std::vector<work_board::key> works;
  for (int c = 0; c < p.clusters && !here.empty(); ++c) {
    const auto at = static_cast<std::ptrdiff_t>(s.random.below(here.size()));
    const auto cluster = here[static_cast<std::size_t>(at)];
    here.erase(here.begin() + at);
    for (int n = 0; n < p.works; ++n)
      works.push_back({s.fleet->name(cluster), fmt::format("burst-{}-{}", s.phase_number, n)});
  }
  write_all(s, phase, works, [&](const work_board::key& work, admin_client::done<generation> then) {
    create_work(*s.admin, work.cluster, work.name, static_cast<std::size_t>(p.bytes), std::move(then));
  });
  return phase;
}

}  // namespace wh
