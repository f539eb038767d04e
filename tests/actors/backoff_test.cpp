#include "actors/spoke/backoff.hpp"

#include <catch2/catch.hpp>

using namespace wh;
using namespace std::chrono_literals;

TEST_CASE("reconnection delays stay below a ceiling that doubles to five seconds, then fifteen", "[backoff]") {
  rng random(3);
  const instant start{};
  for (int run = 0; run < 200; ++run) {
    reconnect_backoff b;
    duration ceiling = 500ms;
    for (int attempt = 0; attempt < 10; ++attempt) {
      CHECK(next_delay(b, start, duration{0}, random) < ceiling);
      ceiling = std::min<duration>(ceiling * 2, 5s);
    }
    CHECK(next_delay(b, start + 61s, duration{0}, random) < 15s);
  }
}

TEST_CASE("delays are spread over the whole span, so that a fleet does not return at one moment", "[backoff]") {
  rng random(5);
  int low = 0, high = 0;
  for (int run = 0; run < 1000; ++run) {
    reconnect_backoff b;
    b.attempts = 10;
    const auto delay = next_delay(b, instant{}, duration{0}, random);
    low += delay < 1s;
    high += delay > 4s;
  }
  CHECK(low > 100);
  CHECK(high > 100);
}

TEST_CASE("a retry-after of the hub is never undercut", "[backoff]") {
  rng random(9);
  reconnect_backoff b;
  for (int i = 0; i < 100; ++i) {
    const auto delay = next_delay(b, instant{}, 8s, random);
    CHECK(delay >= 8s);
    CHECK(delay <= 10s);
  }
}

TEST_CASE("a link that came up starts the back-off anew", "[backoff]") {
  rng random(1);
  reconnect_backoff b;
  for (int i = 0; i < 10; ++i) (void)next_delay(b, instant{}, duration{0}, random);
  reset(b);
  CHECK(next_delay(b, instant{} + 1h, duration{0}, random) < 500ms);
}
