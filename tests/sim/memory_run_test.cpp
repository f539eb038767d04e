#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>

#include "sim/live/live_run.hpp"
#include "sim/live/memory_hub.hpp"

using namespace wh;
using Catch::Contains;

namespace {

/// A folder that goes with the test.
struct scratch {
  std::string dir = std::filesystem::temp_directory_path() / ("wh-memory-run-" + std::to_string(::getpid()));
  scratch() { std::filesystem::create_directories(dir); }
  ~scratch() { std::filesystem::remove_all(dir); }
};

constexpr const char* brief = R"(
name: brief
description: What the hub in this process can and cannot do.
phases:
  - join: {at_once: 16}
  - fan_out: {works: 1}
  - restart: {signal: term, downtime: 100ms}
  - restart: {signal: kill, downtime: 100ms}
  - pause: {for: 100ms}
)";

}  // namespace

TEST_CASE("a run over memory does everything but what needs a process, and says so", "[sim][memory]") {
  const scratch at;
  auto plan = read_scenario(brief, "brief");
  REQUIRE(plan.ok());
  live_options o;
  o.plan = std::move(*plan);
  o.clusters = 12;
  o.seed = 7;
  o.out_dir = at.dir + "/run";
  o.transport = sim_report::link_transport::memory;
  const std::atomic<bool> stop = false;
  const auto run = run_live(o, {}, stop);
  REQUIRE(run.ok());
  CHECK(run->problems.empty());
  CHECK(run->head.lost == 0.0);
  REQUIRE(run->phases.size() == 5);
  for (const auto& phase : run->phases) {
    INFO(phase.name);
    CHECK(phase.problems.empty());
    CHECK(phase.failed == 0);
  }
  CHECK(run->phases[2].skipped.empty());
  CHECK(run->phases[2].done == 12);
  CHECK_THAT(run->phases[3].skipped, Contains("cannot be killed"));
  CHECK_THAT(run->phases[4].skipped, Contains("cannot be paused"));
  CHECK_FALSE(run->head.hub_rss_anon_bytes_per_cluster);
}

TEST_CASE("a hub in this process keeps its addresses over a restart and cannot be killed", "[sim][memory]") {
  const scratch at;
  memory_network net;
  auto started = start_memory_hub({at.dir + "/data", at.dir + "/hub.log"}, net);
  REQUIRE(started.ok());
  auto& hub = **started;
  CHECK(hub.alive());
  CHECK_FALSE(hub.pid());
  CHECK(hub.kill9().err().code == errc::unsupported);
  CHECK(hub.pause().err().code == errc::unsupported);
  const auto api = hub.access().server;
  REQUIRE(hub.stop().ok());
  CHECK_FALSE(hub.alive());
  CHECK_FALSE(hub.why_dead().empty());
  REQUIRE(hub.restart().ok());
  const auto found = attach_hub(at.dir + "/data/admin.kubeconfig");
  REQUIRE(found.ok());
  CHECK((*found)->access().server == api);
  CHECK((*found)->facts().link == hub.facts().link);
}
