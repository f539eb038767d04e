#include <algorithm>

#include "tests/transport/link_playground.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

const address c1_actor{actor_kind::managed_cluster, "c1"};

}  // namespace

TEST_CASE("a member's hello, frames and end reach its cluster's actor in order", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  CHECK(spoke->actors.all<hub_connected>()[0].ca_pem == "the hub's ca");
  spoke->send(sync_request{});
  spoke->send(heartbeat{});
  p.clock.advance(1s);
  p.network.crash_spoke("c1");
  p.clock.advance(1s);

  const auto mail = p.actors.mail();
  REQUIRE(mail.size() == 4);
  for (const auto& e : mail) CHECK(e.to == c1_actor);
  const auto connected = std::get<spoke_connected>(mail[0].body);
  CHECK(connected.greeting == greeting_of("c1"));
  CHECK(connected.key_sha256 == "key of c1:a");
  CHECK(mail[0].from == session_address(connected.session));
  CHECK(std::get<spoke_frame>(mail[1].body).frame == frame_to_hub(sync_request{}));
  CHECK(std::get<spoke_frame>(mail[2].body).frame == frame_to_hub(heartbeat{}));
  CHECK(std::get<session_closed>(mail[3].body).session == connected.session);
  CHECK(p.hub->figures().sessions == 0);
}

TEST_CASE("what the cluster's actor sends reaches the agent, and the last frame ends the link", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  const auto session = p.actors.all<spoke_connected>()[0].session;
  p.answer(session, sync_done{revision(1)}, "c1");
  p.answer(session, sync_done{revision(2)}, "c1", true);
  p.answer(session, sync_done{revision(3)}, "c1");
  p.clock.advance(1s);
  const auto frames = spoke->actors.frames<sync_done, hub_frame>();
  CHECK(frames == std::vector<sync_done>{{revision(1)}, {revision(2)}});
  CHECK(spoke->actors.all<session_closed>().size() == 1);
  CHECK(p.actors.all<session_closed>().size() == 1);
}

TEST_CASE("an applicant's actor hears of the end from its first answer on", "[transport][hosts]") {
  playground p;
  auto spoke = p.spoke("c1");
  spoke->dial("");
  p.clock.advance(1s);
  spoke->send(join_request{"id.secret", "csr", {}});
  p.clock.advance(1s);
  const auto mail = p.actors.mail();
  REQUIRE(mail.size() == 1);
  CHECK(mail[0].to == address{actor_kind::gatekeeper, ""});
  const auto asked = std::get<join_asked>(mail[0].body);
  CHECK(asked.cluster == "c1");
  CHECK(asked.agent == "a");
  CHECK(asked.request.token == "id.secret");

  SECTION("the gatekeeper refuses: no actor is started for a made-up name") {
    p.hub->deliver(
        {session_address(asked.session), mail[0].to, send_to_spoke{refused{errc::unauthorized, "no", {}, true}, true}});
    p.clock.advance(1s);
    CHECK(spoke->actors.frames<refused, hub_frame>().size() == 1);
    CHECK(spoke->actors.all<session_closed>().size() == 1);
    CHECK(p.actors.mail().size() == 1);
  }
  SECTION("the cluster's actor answers: it is told") {
    p.answer(asked.session, join_pending{"wait"}, "c1");
    p.clock.advance(1h);
    CHECK(spoke->actors.frames<join_pending, hub_frame>().size() == 1);
    p.network.cut("c1");
    p.clock.advance(1s);
    REQUIRE(p.actors.mail().size() == 2);
    CHECK(p.actors.mail()[1].to == c1_actor);
    CHECK(std::get<session_closed>(p.actors.mail()[1].body).session == asked.session);
  }
  SECTION("it answers too late: it is told then") {
    p.network.cut("c1");
    p.clock.advance(1s);
    CHECK(p.actors.mail().size() == 1);
    p.answer(asked.session, join_pending{"wait"}, "c1");
    REQUIRE(p.actors.mail().size() == 2);
    CHECK(std::get<session_closed>(p.actors.mail()[1].body).session == asked.session);
  }
}

TEST_CASE("a certificate cannot speak for another cluster", "[transport][hosts]") {
  playground p;
  auto spoke = p.spoke("c2");
  SECTION("of a spoke") { spoke->dial("c1:a"); }
  SECTION("of a user") { spoke->dial("admin"); }
  p.clock.advance(2s);
  const auto refusals = spoke->actors.frames<refused, hub_frame>();
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].code == errc::forbidden);
  CHECK(refusals[0].final);
  CHECK(spoke->actors.all<session_closed>().size() == 1);
  CHECK(p.actors.mail().empty());
}

TEST_CASE("only so many applicants at a time", "[transport][hosts]") {
  playground p;
  std::vector<std::unique_ptr<spoke_node>> all;
  for (const auto* name : {"c1", "c2", "c3"}) {
    all.push_back(p.spoke(name));
    all.back()->dial("");
    p.clock.advance(1s);
  }
  CHECK(p.hub->figures().applicants == 2);
  const auto refusals = all[2]->actors.frames<refused, hub_frame>();
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].code == errc::busy);
  CHECK_FALSE(refusals[0].final);
}

TEST_CASE("frames wait for a full mailbox and lose neither order nor any of them", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  p.actors.set_busy(true);
  for (std::uint64_t i = 0; i < 3000; ++i) spoke->send(work_report{"w", "u", i, {}, share(std::string(1000, 'x'))});
  SECTION("for a while") {
    p.clock.advance(5s);
    CHECK(p.network.figures().bytes < 1'200'000);  // one window, then no more credit
    p.actors.set_busy(false);
    p.clock.advance(10s);
    const auto got = p.actors.frames<work_report, spoke_frame>();
    REQUIRE(got.size() == 3000);
    for (std::uint64_t i = 0; i < got.size(); ++i) REQUIRE(got[i].seq == i);
  }
  SECTION("but not for ever") {
    p.clock.advance(20s);
    const auto refusals = spoke->actors.frames<refused, hub_frame>();
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].code == errc::busy);
    CHECK(refusals[0].retry_after > 0s);
    p.actors.set_busy(false);
    p.clock.advance(1s);
    CHECK(p.actors.all<session_closed>().size() == 1);
  }
}

TEST_CASE("a peer gets credit for what has been handled, not for what a mailbox took", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  const auto received = [&] { return p.actors.frames<work_report, spoke_frame>().size(); };
  p.actors.set_idle(true);
  for (std::uint64_t i = 0; i < 3000; ++i) spoke->send(work_report{"w", "u", i, {}, share(std::string(1000, 'x'))});
  p.clock.advance(1min);
  const auto first = received();
  CHECK(first > 900);  // the mailbox takes them all, but a window is all that comes
  CHECK(first < 1100);
  CHECK(p.actors.all<session_closed>().empty());
  p.actors.set_idle(false);
  p.clock.advance(5s);
  CHECK(received() == 3000);
}

TEST_CASE("both ends of a partition notice within three minutes", "[transport][hosts]") {
  const auto way = GENERATE(lost_way::both, lost_way::to_hub, lost_way::to_spoke);
  playground p;
  auto spoke = p.member("c1");
  p.clock.advance(10min);
  CHECK(p.actors.all<session_closed>().empty());
  p.network.partition("c1", way);
  p.clock.advance(170s);
  CHECK(p.actors.all<session_closed>().size() == 1);
  CHECK(spoke->actors.all<session_closed>().size() == 1);
  spoke->dial("c1:a");
  p.clock.advance(20s);
  CHECK(spoke->actors.all<dial_failed>().at(0).why.code == errc::timeout);
  p.network.heal_all();
  spoke->dial("c1:a");
  p.clock.advance(1s);
  CHECK(spoke->actors.all<hub_connected>().size() == 2);
  CHECK(p.network.figures().open == 1);
}

TEST_CASE("a new dial_hub drops the link before", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  spoke->dial("c1:a");
  spoke->dial("c1:a");
  p.clock.advance(2s);
  const auto connected = spoke->actors.all<hub_connected>();
  REQUIRE(connected.size() == 2);
  CHECK(connected[0].session != connected[1].session);
  const auto closed = spoke->actors.all<session_closed>();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].session == connected[0].session);
  CHECK(p.hub->figures().members == 1);
}

TEST_CASE("a drain sends spokes away for a moment each, and lets nobody in", "[transport][hosts]") {
  playground p;
  std::vector<std::unique_ptr<spoke_node>> all;
  for (const auto* name : {"c1", "c2", "c3", "c4"}) all.push_back(p.member(name));
  p.hub->drain();
  p.clock.advance(1s);
  std::vector<duration> waits;
  for (const auto& spoke : all) {
    const auto refusals = spoke->actors.frames<refused, hub_frame>();
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].message == "hub is shutting down");
    CHECK_FALSE(refusals[0].final);
    waits.push_back(refusals[0].retry_after);
    CHECK(waits.back() >= 1s);
    CHECK(waits.back() <= 3s);
  }
  std::sort(waits.begin(), waits.end());
  CHECK(waits.front() != waits.back());
  CHECK(p.hub->figures().sessions == 0);
  all[0]->dial("c1:a");
  p.clock.advance(1s);
  CHECK(all[0]->actors.frames<refused, hub_frame>().size() == 2);
}

TEST_CASE("an actor that starts over gets its spokes' links anew", "[transport][hosts]") {
  playground p;
  auto c1 = p.member("c1"), c2 = p.member("c2");
  p.hub->close_sessions_of("c1");
  p.clock.advance(1s);
  CHECK(c1->actors.all<session_closed>().size() == 1);
  CHECK(c2->actors.all<session_closed>().empty());
  CHECK(c1->actors.frames<refused, hub_frame>().at(0).retry_after > 0s);
}

TEST_CASE("a hub that dies takes its links with it, and the next one gets them", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  const bool silently = GENERATE(false, true);
  p.network.crash_hub(silently);
  p.hub.reset();
  p.actors.clear();
  p.clock.advance(silently ? 130s : 1s);
  CHECK(spoke->actors.all<session_closed>().size() == 1);
  CHECK(p.actors.mail().empty());
  spoke->dial("c1:a");
  p.clock.advance(1s);
  CHECK(spoke->actors.all<dial_failed>().size() == 1);
  p.start_hub();
  spoke->dial("c1:a");
  p.clock.advance(1s);
  CHECK(p.actors.all<spoke_connected>().size() == 1);
}

TEST_CASE("a spoke that stops says what it had to say", "[transport][hosts]") {
  playground p;
  auto spoke = p.member("c1");
  spoke->send(heartbeat{});
  spoke->host.stop();
  p.clock.advance(1s);
  CHECK(p.actors.frames<heartbeat, spoke_frame>().size() == 1);
  CHECK(p.actors.all<session_closed>().size() == 1);
}
