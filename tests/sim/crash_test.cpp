// Every moment at which a node can die, in the life of a work and its cluster: nothing that anybody was told is lost.
//   WH_SEED=n         another order of events, other delays
//   WH_CRASH_POINT=n  only the life that dies there; WH_CRASH_THEN=hub:m, also at the hub's m-th point from there on
//   WH_CRASH_PAIRS=n  so many pairs of deaths; WH_CRASH_ALL=1: every point also where only some are tried
//   WH_CRASH_LIST=1   names the points; WH_TRACE=1 shows every message
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tests/sim/crash_story.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

/// One test: many lives of one story.
class lives {
 public:
  lives(std::string test, crash_options options) : test_(std::move(test)), options_(std::move(options)) {
    options_.seed = number_from("WH_SEED", options_.seed);
  }
  ~lives() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
    fmt::print("{}: {} points, {} lives, {:.1f} s\n", test_, points_, lived_, took.count());
    std::fflush(stdout);  // also of use when a later test hangs
  }

  /// The story without a death, which numbers the points.
  std::uint64_t count_points() {
    crash_story whole(options_);
    const auto problem = whole.run();
    CHECK(problem == "");
    const auto& names = whole.points().reached();
    points_ = names.size();
    if (std::getenv("WH_CRASH_LIST"))
      for (std::size_t i = 0; i < names.size(); ++i) fmt::print("{:5} {}\n", i + 1, names[i]);
    return points_;
  }

  /// The one life that the environment asks for, if it does.
  bool replay() {
    const auto first = number_from("WH_CRASH_POINT", 0);
    if (first == 0) return false;
    std::vector<crash_points::death> plan = {{.node = "", .number = first}};
    const char* then = std::getenv("WH_CRASH_THEN");
    const std::string second = then ? then : "";
    if (const auto colon = second.find(':'); colon != std::string::npos)
      plan.push_back({.node = second.substr(0, colon), .number = std::strtoull(&second[colon + 1], nullptr, 10)});
    live(std::move(plan));
    return true;
  }

  void live(std::vector<crash_points::death> plan) {
    ++lived_;
    options_.plan = std::move(plan);
    crash_story story(options_);
    const auto problem = story.run();
    if (problem.empty()) return;
    std::string text = problem;
    for (const auto& death : story.points().deaths()) text += "\n  died at " + death;
    text += fmt::format("\n  replay: WH_SEED={} WH_CRASH_POINT={} ", options_.seed, options_.plan[0].number);
    if (options_.plan.size() > 1)
      text += fmt::format("WH_CRASH_THEN={}:{} ", options_.plan[1].node, options_.plan[1].number);
    FAIL_CHECK(text << "build/release/tests/crash_test \"" << test_ << "\"");
  }

 private:
  const std::string test_;
  crash_options options_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::uint64_t points_ = 0;
  std::uint64_t lived_ = 0;
};

void die_at_every_point(lives all) {
  const auto points = all.count_points();
  if (all.replay()) return;
  for (std::uint64_t number = 1; number <= points; ++number) all.live({{.node = "", .number = number}});
}

/// One point of every few, another one for each seed.
void die_at_some_points(lives all, std::uint64_t few) {
  const auto points = all.count_points();
  if (all.replay()) return;
  const auto step = std::getenv("WH_CRASH_ALL") ? 1 : few;
  for (auto number = 1 + number_from("WH_SEED", 1) % step; number <= points; number += step)
    all.live({{.node = "", .number = number}});
}

/// A second death while the world still recovers from the first: most of all of the same node, or of its peer.
void die_twice(lives all, std::uint64_t seed) {
  const auto points = all.count_points();
  if (all.replay()) return;
  rng random(number_from("WH_SEED", seed));
  for (auto left = number_from("WH_CRASH_PAIRS", 200); left > 0; --left)
    all.live({{.node = "", .number = 1 + random.below(points)},
              {.node = random.chance(0.5) ? "hub" : "c0", .number = 1 + random.below(60)}});
}

std::string this_test() { return Catch::getResultCapture().getCurrentTestName(); }

}  // namespace

TEST_CASE("a crash at any moment of a work's life breaks no promise", "[crash]") {
  die_at_every_point({this_test(), {.plan = {}}});
}

TEST_CASE("a crash at any moment breaks no promise to a user who does not wait for reports", "[crash]") {
  die_at_every_point({this_test(), {.hasty = true, .again = true, .plan = {}}});
}

TEST_CASE("a crash at any moment breaks no promise when a cluster is deleted with its work", "[crash]") {
  die_at_every_point({this_test(), {.hasty = true, .straight = true, .plan = {}}});
}

TEST_CASE("a crash in the lives of two clusters breaks no promise to either", "[crash]") {
  die_at_some_points({this_test(), {.clusters = 2, .hasty = true, .plan = {}}}, 5);
}

TEST_CASE("two crashes in a row break no promise", "[crash]") {
  die_twice({this_test(), {.again = true, .plan = {}}}, 1);
}

TEST_CASE("two crashes in a row break no promise to a user who does not wait for reports", "[crash]") {
  die_twice({this_test(), {.hasty = true, .straight = true, .plan = {}}}, 2);
}
