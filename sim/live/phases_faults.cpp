// Bad luck: links that break, a hub that dies or stands still.
#include <fmt/format.h>

#include <thread>

#include "sim/live/stage.hpp"

namespace wh {

using sim_report::phase_result;

namespace {

double in_seconds(duration d) { return std::chrono::duration<double>(d).count(); }

/// Where the hub is no process of ours there is nothing to kill or to stop; that is how the run was asked for, and no fault.
phase_result not_done(stage& s, phase_result phase, const error& why) {
  if (why.code == errc::unsupported) phase.skipped = why.message;
  else phase.problems.push_back("not done: " + why.message);
  phase.ends_s = s.seconds();
  return phase;
}

/// Until all that were expected are in sync again.
bool wait_for_sync(stage& s, phase_result& phase) {
  const bool all =
      s.wait(phase, {static_cast<double>(phase.wanted),
                     [&] { return static_cast<double>(phase.wanted) - static_cast<double>(s.spokes.now().expected); }});
  phase.ends_s = s.seconds();
  phase.failed = s.spokes.now().expected;
  phase.done = phase.wanted - std::min<std::uint64_t>(phase.wanted, phase.failed);
  phase.client = s.spokes.take_times();
  return all;
}

}  // namespace

phase_result run(stage& s, const churn_phase& p) {
  phase_result phase{.name = "churn",
                     .about = "Every second some clusters lose their connection and dial again.",
                     .unit = "connections",
                     .begins_s = s.seconds()};
  const auto seconds = static_cast<int>(in_seconds(p.length) + 0.5);
  const double each = std::max(1.0, p.share * static_cast<double>(s.size()));
  for (int second = 0; second < std::max(1, seconds) && s.fit(phase); ++second) {
    for (int n = 0; n < static_cast<int>(each); ++n) {
      const auto i = static_cast<std::size_t>(s.random.below(s.size()));
      if (s.evicted.contains(i) || !s.spokes.synced(i)) continue;
      s.spokes.expect(i);
      s.fleet->cut(i, "cut by the simulator");
      ++phase.wanted;
    }
    s.sleep(phase, std::chrono::seconds(1));
  }
  wait_for_sync(s, phase);
  return phase;
}

phase_result run(stage& s, const storm_phase& p) {
  phase_result phase{
      .name = "storm",
      .about = "All connections break at once; after a while the network is back and every cluster dials.",
      .unit = "clusters",
      .begins_s = s.seconds()};
  phase.wanted = s.spokes.expect_all();
  const auto began = stage::clock::now();
  for (std::size_t i = 0; i < s.size(); ++i) s.fleet->set_network(i, false);
  s.sleep(phase, p.downtime);
  for (std::size_t i = 0; i < s.size(); ++i) s.fleet->set_network(i, true);
  const bool all = wait_for_sync(s, phase);
  if (all && !s.results.head.storm_to_sync_s)
    s.results.head.storm_to_sync_s = std::chrono::duration<double>(stage::clock::now() - began).count();
  return phase;
}

phase_result run(stage& s, const restart_phase& p) {
  phase_result phase{.name = "restart",
                     .about = p.signal == stop_signal::kill ? "The hub is killed (SIGKILL) and started again."
                                                            : "The hub is stopped and started again.",
                     .unit = "clusters",
                     .begins_s = s.seconds()};
  // Asked before any spoke is expected to come back.
  if (p.signal == stop_signal::kill && !s.hub->pid())
    if (auto ok = s.hub->kill9(); !ok) return not_done(s, std::move(phase), ok.err());
  phase.wanted = s.spokes.expect_all();
  const auto began = stage::clock::now();
  s.hub_expected = false;
  if (auto ok = p.signal == stop_signal::kill ? s.hub->kill9() : s.hub->stop(); !ok) {
    phase = not_done(s, std::move(phase), ok.err());
    s.hub_expected = true;
    for (std::size_t i = 0; i < s.size(); ++i) s.fleet->cut(i, "asked to come back");
    wait_for_sync(s, phase);
    return phase;
  }
  s.sleep(phase, p.downtime);
  const auto restarted = s.hub->restart();
  s.hub_expected = true;
  if (!restarted) {
    phase.problems.push_back("the hub did not come back: " + restarted.err().message);
    s.fatal = true;
    return phase;
  }
  phase.figures.push_back({"hub ready again", s.seconds() - phase.begins_s, "s"});
  const bool all = wait_for_sync(s, phase);
  if (all && !s.results.head.restart_to_sync_s)
    s.results.head.restart_to_sync_s = std::chrono::duration<double>(stage::clock::now() - began).count();
  return phase;
}

phase_result run(stage& s, const pause_phase& p) {
  phase_result phase{.name = "pause",
                     .about = "The hub's process stands still for a while and goes on.",
                     .unit = "clusters",
                     .begins_s = s.seconds()};
  if (auto ok = s.hub->pause(); !ok) return not_done(s, std::move(phase), ok.err());
  phase.wanted = s.size() - s.evicted.size();
  s.sleep(phase, p.length);
  if (auto ok = s.hub->resume(); !ok) phase.problems.push_back(ok.err().message);
  const auto resumed = s.seconds();
  // Those that lost patience come back by themselves.
  s.wait(phase, {static_cast<double>(phase.wanted), [&] { return static_cast<double>(s.spokes.now().synced); }});
  phase.ends_s = s.seconds();
  phase.done = std::min<std::uint64_t>(phase.wanted, s.spokes.now().synced);
  phase.failed = phase.wanted - phase.done;
  phase.figures.push_back({"all in sync after it went on", phase.ends_s - resumed, "s"});
  return phase;
}

}  // namespace wh
