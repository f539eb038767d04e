#include "base/time.hpp"

#include <catch2/catch.hpp>

#include "base/random.hpp"

using namespace wh;
using namespace std::chrono_literals;

namespace {

constexpr instant epoch{};

instant parsed(std::string_view text) {
  const auto r = parse_rfc3339(text);
  INFO(text);
  REQUIRE(r.ok());
  return *r;
}

duration span(std::string_view text) {
  const auto r = parse_duration(text);
  INFO(text);
  REQUIRE(r.ok());
  return *r;
}

}  // namespace

TEST_CASE("an instant is written as Kubernetes writes Time and MicroTime", "[base][time]") {
  const instant t = epoch + 1767323045s + 678901us;
  REQUIRE(to_rfc3339(t) == "2026-01-02T03:04:05Z");
  REQUIRE(to_rfc3339_micro(t) == "2026-01-02T03:04:05.678901Z");
  REQUIRE(to_rfc3339(epoch) == "1970-01-01T00:00:00Z");
  REQUIRE(to_rfc3339_micro(epoch - 1us) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("RFC 3339 is read with any offset and up to nine fraction digits", "[base][time]") {
  const instant t = epoch + 1767323045s;
  REQUIRE(parsed("2026-01-02T03:04:05Z") == t);
  REQUIRE(parsed("2026-01-02T05:34:05+02:30") == t);
  REQUIRE(parsed("2026-01-01T22:04:05-05:00") == t);
  REQUIRE(parsed("2026-01-02T03:04:05.5Z") == t + 500ms);
  REQUIRE(parsed("2026-01-02T03:04:05.123456789Z") == t + 123456us);
  REQUIRE(parsed("2024-02-29T00:00:00Z") > epoch);
}

TEST_CASE("what is not RFC 3339 is refused with the text in the message", "[base][time]") {
  for (const char* text : {"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z",
                           "2026-13-02T03:04:05Z", "2026-02-29T00:00:00Z", "2026-01-02T24:00:00Z",
                           "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.1234567890Z",
                           "2026-01-02T03:04:05+2:30", "2026-01-02T03:04:05Zx", "+026-01-02T03:04:05Z"}) {
    INFO(text);
    const auto r = parse_rfc3339(text);
    REQUIRE_FALSE(r.ok());
    REQUIRE(r.err().code == errc::invalid);
    REQUIRE(r.err().message.find(text) != std::string::npos);
  }
}

TEST_CASE("an instant survives being written and read", "[base][time]") {
  rng r(11);
  for (int i = 0; i < 500; ++i) {
    const instant t = epoch + duration{static_cast<std::int64_t>(r.below(4'000'000'000'000'000ULL))} - 24h * 365 * 60;
    REQUIRE(parsed(to_rfc3339_micro(t)) == t);
  }
}

TEST_CASE("ages are rounded as kubectl rounds them", "[base][time]") {
  REQUIRE(human_duration(0s) == "0s");
  REQUIRE(human_duration(119s) == "119s");
  REQUIRE(human_duration(120s) == "2m");
  REQUIRE(human_duration(3min + 12s) == "3m12s");
  REQUIRE(human_duration(10min + 5s) == "10m");
  REQUIRE(human_duration(179min) == "179m");
  REQUIRE(human_duration(3h) == "3h");
  REQUIRE(human_duration(7h + 59min) == "7h59m");
  REQUIRE(human_duration(47h) == "47h");
  REQUIRE(human_duration(49h) == "2d1h");
  REQUIRE(human_duration(24h * 12) == "12d");
  REQUIRE(human_duration(24h * 800) == "2y70d");
  REQUIRE(human_duration(24h * 365 * 9) == "9y");
  REQUIRE(human_duration(-1s) == "0s");
  REQUIRE(human_duration(-1min) == "<invalid>");
}

TEST_CASE("durations are read with their units", "[base][time]") {
  REQUIRE(span("300ms") == 300ms);
  REQUIRE(span("45s") == 45s);
  REQUIRE(span("2h30m") == 2h + 30min);
  REQUIRE(span("7d") == 24h * 7);
  REQUIRE(span("1.5h") == 90min);
  REQUIRE(span("0s") == 0s);
  REQUIRE(span("5m0s") == 5min);
  REQUIRE(span("250us") == 250us);
  REQUIRE(span("0.1s") == 100ms);
}

TEST_CASE("a duration without a unit, without a number or of absurd length is refused", "[base][time]") {
  for (const char* text : {"", "5", "s", "-5s", "5x", "5 s", "1h30", "1e3s", "200000d", "."}) {
    INFO(text);
    REQUIRE_FALSE(parse_duration(text).ok());
  }
}
