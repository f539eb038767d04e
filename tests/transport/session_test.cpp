#include "transport/session.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "messages/codec.hpp"
#include "tests/messages/random_frames.hpp"

using namespace wh;
using namespace wh::testing;
using namespace std::chrono_literals;

namespace {

const spoke_identity c1{"c1", "a1"};
const hello c1_hello{.software = "test/1", .cluster = "c1", .agent = "a1", .hub_incarnation = {}};
const session_limits defaults;

std::string bytes_of(const frame_to_hub& f) { return framed(f).value(); }
std::string bytes_of(const frame_to_spoke& f) { return framed(f).value(); }

hub_session member(const session_limits& limits = defaults, duration now = 0s) {
  hub_session hub(hub_rules(c1), limits, now);
  hub_session::output out;
  hub.receive(bytes_of(frame_to_hub(c1_hello)), now, out);
  REQUIRE(out.arrivals.size() == 1);
  return hub;
}

hub_session::output feed(hub_session& hub, const std::vector<frame_to_hub>& frames, duration now = 0s) {
  hub_session::output out;
  for (const auto& f : frames) hub.receive(bytes_of(f), now, out);
  return out;
}

/// The frames in what a hub wrote.
std::vector<frame_to_spoke> frames_in(std::string_view bytes) {
  std::vector<frame_to_spoke> out;
  frame_reader reader(frame_bytes_max);
  while (true) {
    const auto payload = reader.next(bytes);
    REQUIRE(payload.ok());
    if (!*payload) return out;
    out.push_back(decode_to_spoke(**payload).value());
  }
}

refused refusal_in(const hub_session::output& out) {
  const auto frames = frames_in(out.write);
  REQUIRE(frames.size() == 1);
  REQUIRE(out.ended);
  REQUIRE(std::get<refused>(frames[0]).message == out.ended->why.message);
  return std::get<refused>(frames[0]);
}

frame_to_hub report_of(std::size_t bytes) {
  return work_report{"w", "u", 1, generation(1), share(std::string(bytes, 'x'))};
}

}  // namespace

TEST_CASE("a frame that does not fit is not sent, and the session goes on", "[transport][session]") {
  auto hub = member();
  hub_session::output out;
  const auto sent =
      hub.send(work_desired{"w", "u", generation(1), false, share(std::string(frame_bytes_max, 'x'))}, out);
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.err().code == errc::too_large);
  CHECK(out.write.empty());
  CHECK(hub.send(sync_done{}, out).ok());
  CHECK(frames_in(out.write).size() == 1);
}

TEST_CASE("a member's conversation passes at every cut position", "[transport][session]") {
  const auto stream = bytes_of(frame_to_hub(c1_hello)) +
                      bytes_of(frame_to_hub(sync_request{{{"w", "u", generation(1), false}}})) +
                      bytes_of(frame_to_hub(ping{5})) + bytes_of(frame_to_hub(heartbeat{}));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    hub_session hub(hub_rules(c1), defaults, 0s);
    hub_session::output out;
    hub.receive(std::string_view(stream).substr(0, cut), 1s, out);
    hub.receive(std::string_view(stream).substr(cut), 2s, out);
    REQUIRE_FALSE(out.ended);
    REQUIRE(out.arrivals.size() == 3);
    REQUIRE(std::holds_alternative<hello>(out.arrivals[0].frame));
    REQUIRE(std::holds_alternative<sync_request>(out.arrivals[1].frame));
    REQUIRE(std::holds_alternative<heartbeat>(out.arrivals[2].frame));
    REQUIRE(frames_in(out.write) == std::vector<frame_to_spoke>{pong{5}});
  }
}

TEST_CASE("nothing but hello may come first", "[transport][session]") {
  for (const frame_to_hub& first : {frame_to_hub(heartbeat{}), frame_to_hub(ping{1}), frame_to_hub(join_request{})}) {
    hub_session hub(hub_rules(c1), defaults, 0s);
    const auto out = feed(hub, {first});
    CHECK(refusal_in(out).code == errc::invalid);
    CHECK(out.arrivals.empty());
    CHECK(hub.ended());
  }
}

TEST_CASE("another protocol version is refused with both versions named", "[transport][session]") {
  hub_session hub(hub_rules(c1), defaults, 0s);
  auto greeting = c1_hello;
  greeting.protocol = 7;
  const auto refusal = refusal_in(feed(hub, {greeting}));
  CHECK(refusal.code == errc::unsupported);
  CHECK(refusal.message ==
        "this hub speaks link protocol 1, the spoke (test/1) speaks 7: upgrade the older of the two");
  CHECK(refusal.final);
}

TEST_CASE("hello cannot name another cluster or agent than the certificate", "[transport][session]") {
  for (const auto& [cluster, agent] :
       {std::pair("c2", "a1"), std::pair("c1", "a2"), std::pair("c1:a1", ""), std::pair("", "a1")}) {
    hub_session hub(hub_rules(c1), defaults, 0s);
    const auto out =
        feed(hub, {hello{.software = {}, .cluster = cluster, .agent = agent, .hub_incarnation = {}}, heartbeat{}});
    CHECK(refusal_in(out).final);
    CHECK(out.arrivals.empty());
  }
}

TEST_CASE("a refusal stays small whatever it quotes", "[transport][session]") {
  hub_session hub(hub_rules(c1), defaults, 0s);
  std::string name;
  while (name.size() < 3'000'000) name += "ü";
  const auto refusal =
      refusal_in(feed(hub, {hello{.software = {}, .cluster = name, .agent = {}, .hub_incarnation = {}}}));
  CHECK(refusal.message.size() <= 1000);
}

TEST_CASE("a connection without certificate may say hello, ask to join once, and nothing else",
          "[transport][session]") {
  hub_session hub(hub_rules(std::nullopt), defaults, 0s);
  const auto out = feed(hub, {c1_hello, ping{1}, join_request{"id.secret", "csr", {}}, ping{2}, credit{10}});
  CHECK(out.arrivals.size() == 2);
  CHECK_FALSE(out.ended);
  CHECK(hub.rules().cluster() == "c1");
  CHECK_FALSE(hub.rules().member());
  SECTION("not a second join") { CHECK(refusal_in(feed(hub, {join_request{}})).code == errc::invalid); }
  SECTION("not what members may") { CHECK(refusal_in(feed(hub, {work_report{}})).code == errc::invalid); }
}

TEST_CASE("a connection without certificate cannot make the hub hold a large frame", "[transport][session]") {
  hub_session hub(hub_rules(std::nullopt), defaults, 0s);
  feed(hub, {c1_hello});
  hub_session::output out;
  hub.receive(std::string_view("\0\x01\0\x01", 4), 0s, out);
  CHECK(refusal_in(out).code == errc::too_large);
}

TEST_CASE("who does not introduce himself in time is refused", "[transport][session]") {
  hub_session hub(hub_rules(std::nullopt), defaults, 0s);
  feed(hub, {c1_hello}, 5s);
  hub_session::output early, late;
  hub.tick(14s, early);
  CHECK_FALSE(early.ended);
  hub.tick(15s, late);
  CHECK(refusal_in(late).code == errc::timeout);
}

TEST_CASE("a frame of the wrong direction ends the session with its name", "[transport][session]") {
  auto hub = member();
  hub_session::output out;
  hub.receive(bytes_of(frame_to_spoke(sync_done{})), 0s, out);
  CHECK(refusal_in(out).message == "frame tag 46 (sync_done) is not for the hub");

  spoke_session spoke(spoke_rules(false), defaults, 0s);
  spoke_session::output other;
  spoke.receive(bytes_of(frame_to_hub(heartbeat{})), 0s, other);
  REQUIRE(other.ended);
  CHECK(other.write.empty());
}

TEST_CASE("a spoke that joins accepts no prescriptions", "[transport][session]") {
  spoke_session spoke(spoke_rules(true), defaults, 0s);
  spoke_session::output out;
  spoke.receive(bytes_of(frame_to_spoke(join_pending{"wait"})) + bytes_of(frame_to_spoke(join_certificate{})), 0s, out);
  CHECK(out.arrivals.size() == 2);
  CHECK_FALSE(out.ended);
  spoke.receive(bytes_of(frame_to_spoke(work_desired{})), 0s, out);
  CHECK(out.ended);
  CHECK(out.arrivals.size() == 2);
}

TEST_CASE("frames beyond the credit wait in order and go when credit comes", "[transport][session]") {
  session_limits limits;
  limits.window = 10'000;
  spoke_session spoke(spoke_rules(false), limits, 0s);
  auto hub = member(limits);
  spoke_session::output sent;
  REQUIRE(spoke.send(c1_hello, sent).ok());
  sent.write.clear();  // member() has seen one
  for (std::uint64_t i = 0; i < 100; ++i)
    REQUIRE(spoke.send(work_report{"w", "u", i, generation(1), share(std::string(700, 'x'))}, sent).ok());
  CHECK(spoke.backlog() > 0);

  std::uint64_t next = 0;
  while (next < 100) {
    hub_session::output got;
    hub.receive(std::exchange(sent.write, {}), 0s, got);
    REQUIRE_FALSE(got.ended);
    REQUIRE_FALSE(got.arrivals.empty());
    for (const auto& arrival : got.arrivals) {
      REQUIRE(std::get<work_report>(arrival.frame).seq == next++);
      hub.consumed(arrival.bytes, got);
    }
    spoke.receive(got.write, 0s, sent);
  }
  CHECK(spoke.backlog() == 0);
}

TEST_CASE("a frame larger than the window passes", "[transport][session]") {
  session_limits limits;
  limits.window = 10'000;
  auto hub = member(limits);
  auto out = feed(hub, {report_of(1'000'000)});
  REQUIRE(out.arrivals.size() == 1);
  CHECK_FALSE(out.ended);
  SECTION("but nothing after it until it is consumed") {
    hub.receive(bytes_of(report_of(1)), 0s, out);
    REQUIRE(out.ended);
    CHECK(out.ended->why.message == "work_report was sent without credit");
  }
  SECTION("and the next one when it is") {
    hub.consumed(out.arrivals[0].bytes, out);
    CHECK(std::holds_alternative<credit>(frames_in(out.write)[0]));
    hub.receive(bytes_of(report_of(1)), 0s, out);
    CHECK_FALSE(out.ended);
  }
}

TEST_CASE("control frames and refusals pass without credit", "[transport][session]") {
  session_limits limits;
  limits.window = 1024;
  auto hub = member(limits);
  hub_session::output out;
  while (hub.backlog() == 0) REQUIRE(hub.send(work_unknown{"w", "u"}, out).ok());
  out.write.clear();
  hub.receive(bytes_of(frame_to_hub(ping{1})), 0s, out);
  REQUIRE(hub.send(refused{errc::forbidden, "no", {}, true}, out).ok());
  CHECK(frames_in(out.write) == std::vector<frame_to_spoke>{pong{1}, refused{errc::forbidden, "no", {}, true}});
}

TEST_CASE("credit beyond any window is a violation", "[transport][session]") {
  auto hub = member();
  CHECK(refusal_in(feed(hub, {credit{~std::uint64_t{0}}})).code == errc::invalid);
}

TEST_CASE("a backlog beyond its limit ends the session", "[transport][session]") {
  session_limits limits;
  limits.window = 1024;
  limits.backlog_max = 8 << 20;
  auto hub = member(limits);
  hub_session::output out;
  result<void> sent;
  std::size_t times = 0;
  for (; sent.ok() && times < 100; ++times)
    sent = hub.send(work_desired{"w", "u", generation(1), false, share(std::string(1'000'000, 'x'))}, out);
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.err().code == errc::busy);
  CHECK(times == 10);  // one on credit, eight that wait, and the one too many
  REQUIRE(out.ended);
  CHECK_FALSE(out.ended->flush);
  CHECK(hub.backlog() == 0);
}

TEST_CASE("a silent peer is asked, then given up", "[transport][session]") {
  session_limits limits;
  limits.ping_after = 20s;
  limits.dead_after = 60s;
  auto hub = member(limits, 100s);
  const auto tick = [&](duration now) {
    hub_session::output out;
    hub.tick(now, out);
    return out;
  };
  CHECK(tick(119s).write.empty());
  CHECK(frames_in(tick(120s).write) == std::vector<frame_to_spoke>{ping{1}});
  CHECK(tick(125s).write.empty());
  CHECK(frames_in(tick(140s).write) == std::vector<frame_to_spoke>{ping{2}});
  SECTION("an answer starts the count anew") {
    feed(hub, {pong{2}}, 141s);
    CHECK(tick(160s).write.empty());
    CHECK_FALSE(tick(200s).ended);
  }
  SECTION("without any byte the session is over") {
    CHECK_FALSE(tick(159s).ended);
    const auto out = tick(160s);
    REQUIRE(out.ended);
    CHECK(out.ended->why == fail(errc::timeout, "nothing came from the peer for 60 s"));
    CHECK_FALSE(out.ended->flush);
  }
}

TEST_CASE("a session that is told to finish ends when what waits is out", "[transport][session]") {
  session_limits limits;
  limits.window = 1024;
  auto hub = member(limits);
  hub_session::output out;
  while (hub.backlog() == 0) REQUIRE(hub.send(join_certificate{std::string(500, 'c'), "ca"}, out).ok());
  hub.finish(fail(errc::unavailable, "done"), 1s, out);
  CHECK_FALSE(out.ended);
  SECTION("by credit") {
    out.write.clear();
    hub.receive(bytes_of(frame_to_hub(credit{1'000'000})), 2s, out);
    CHECK(frames_in(out.write).size() == 1);
    REQUIRE(out.ended);
    CHECK(out.ended->why.message == "done");
    CHECK(out.ended->flush);
  }
  SECTION("or when patience is over") {
    hub.tick(10s, out);
    CHECK_FALSE(out.ended);
    hub.tick(11s, out);
    CHECK(out.ended);
  }
}

TEST_CASE("an ended session does nothing any more", "[transport][session]") {
  auto hub = member();
  hub_session::output first, later;
  hub.part({.why = fail(errc::unavailable, "hub is shutting down"), .retry_after = 2s}, first);
  const auto refusal = refusal_in(first);
  CHECK(refusal.retry_after == 2s);
  CHECK_FALSE(refusal.final);
  hub.receive(bytes_of(frame_to_hub(heartbeat{})), 1s, later);
  hub.tick(100s, later);
  hub.consumed(1 << 20, later);
  hub.part({.why = fail(errc::internal, "again")}, later);
  CHECK(hub.send(sync_done{}, later).ok());
  CHECK(later.write.empty());
  CHECK(later.arrivals.empty());
  CHECK_FALSE(later.ended);
}

TEST_CASE("mutated streams end a session or pass, but never break it", "[transport][session]") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  rng r(seed);
  for (int round = 0; round < 200; ++round) {
    std::string stream = bytes_of(frame_to_hub(c1_hello));
    for (const auto& f : random_frames_to_hub(r))
      if (!std::holds_alternative<hello>(f)) stream += bytes_of(f);
    for (auto times = r.below(3); times > 0; --times) stream[r.below(stream.size())] = static_cast<char>(r.next());
    hub_session hub(hub_rules(r.chance(0.8) ? std::optional(c1) : std::nullopt), defaults, 0s);
    std::string_view rest = stream;
    while (!rest.empty()) {
      hub_session::output out;
      const auto n = std::min<std::size_t>(rest.size(), 1 + r.below(5000));
      hub.receive(rest.substr(0, n), 0s, out);
      for (const auto& arrival : out.arrivals) hub.consumed(arrival.bytes, out);
      rest.remove_prefix(n);
    }
    CHECK(hub.backlog() == 0);
  }
}

TEST_CASE("idle sessions are small", "[transport][session]") {
  CHECK(sizeof(hub_session) <= 512);
  CHECK(sizeof(spoke_session) <= 512);
}

TEST_CASE("limits that contradict each other are named", "[transport][session]") {
  CHECK(validate(defaults).ok());
  session_limits odd;
  odd.dead_after = 30s;
  CHECK_FALSE(validate(odd).ok());
  odd = {};
  odd.backlog_max = 1024;
  CHECK_FALSE(validate(odd).ok());
}
