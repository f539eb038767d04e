#include "actors/shared/event_reaper.hpp"

#include "actor_fixture.hpp"
#include "actors/names.hpp"
#include "actors/shared/events.hpp"

using namespace wh;
using namespace wh::test;

namespace {

void add(bench_top& b, const std::string& name, const document& more) {
  document event = {{"metadata", {{"name", name}, {"namespace", "n"}, {"creationTimestamp", to_rfc3339(b.now)}}}};
  event.update(more);
  b.put_document({names::events, "n", name}, event);
}

}  // namespace

TEST_CASE("Events go an hour after the last that was said in them", "[event_reaper]") {
  bench_top b;
  event_reaper self;
  const auto later = to_rfc3339(b.now + std::chrono::minutes(30));
  add(b, "plain", document::object());
  add(b, "again", {{"lastTimestamp", later}});
  add(b, "series", {{"series", {{"lastObservedTime", later}}}});
  add(b, "from-the-future", {{"lastTimestamp", "2999-01-01T00:00:00Z"}});
  b.now += std::chrono::minutes(59);
  b.handle(self, timer_fired{"reap"});
  CHECK(b.objects.size() == 4);
  b.now += std::chrono::minutes(1);
  const auto out = b.handle(self, timer_fired{"reap"});
  CHECK_FALSE(b.has({names::events, "n", "plain"}));
  CHECK(b.objects.size() == 3);
  REQUIRE(out.timers.size() == 1);
  CHECK(*out.timers[0].after == std::chrono::minutes(10));
  b.now += std::chrono::minutes(30);
  b.handle(self, timer_fired{"reap"});
  CHECK(b.objects.size() == 1);
}

TEST_CASE("many old Events go in portions", "[event_reaper]") {
  bench_top b;
  event_reaper self;
  for (int i = 0; i < 1200; ++i) add(b, "e" + std::to_string(i), document::object());
  b.now += std::chrono::hours(2);
  int rounds = 0;
  while (!b.objects.empty() && rounds < 10) {
    b.handle(self, timer_fired{"reap"});
    ++rounds;
  }
  CHECK(rounds == 3);
}

TEST_CASE("what happens again counts up in one Event", "[events]") {
  bench_top b;
  const document cluster = {{"apiVersion", "v1"}, {"kind", "K"}, {"metadata", {{"name", "c1"}, {"uid", "u"}}}};
  for (int i = 0; i < 3; ++i) {
    outbox out;
    rng random(1);
    const context ctx{b.now, {}, {}, random, b, b};
    record_event(cluster, "n", "me", {.reason = "R", .message = std::to_string(i), .warning = true, .action = {}}, ctx,
                 out);
    REQUIRE(out.writes.puts.size() == 1);
    b.put_document(out.writes.puts[0].key, decode_body(*out.writes.puts[0].body).value());
  }
  REQUIRE(b.objects.size() == 1);
  const auto event = decode_record(b.objects.begin()->second).value();
  CHECK(event["count"] == 3);
  CHECK(event["message"] == "2");
  CHECK(event["type"] == "Warning");
}
