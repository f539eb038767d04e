#include <catch2/catch.hpp>
#include <limits>

#include "sim/live/hub_clock.hpp"

using namespace wh;
using namespace std::chrono_literals;

constexpr double forever = std::numeric_limits<double>::infinity();

TEST_CASE("what the hub counted between two readings, spread over its buckets", "[sim][hub_clock]") {
  const hub_clock_reading before = {{0.1, 5}, {0.2, 1}, {forever, 0}};
  const hub_clock_reading after = {{0.1, 5}, {0.2, 101}, {forever, 1}};
  const auto passed = passed_between(before, after);
  CHECK(passed.count() == 101);
  CHECK(passed.min() >= 100ms);
  CHECK(passed.max() <= 200ms);
  CHECK(passed.percentile(50) > 145ms);
  CHECK(passed.percentile(50) < 155ms);
  CHECK(passed_between(after, after).empty());
  CHECK(passed_between({}, before).count() == 6);
  CHECK(passed_between(before, {}).empty());
}

TEST_CASE("a hub that was restarted counts from zero", "[sim][hub_clock]") {
  CHECK(passed_between({{0.1, 50}, {0.2, 0}, {forever, 0}}, {{0.1, 1}, {0.2, 3}, {forever, 0}}).count() == 4);
}
