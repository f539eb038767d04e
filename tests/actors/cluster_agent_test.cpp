#include "actors/spoke/cluster_agent.hpp"

#include <algorithm>

#include "actor_fixture.hpp"
#include "actors/names.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const object_key identity{names::identities, "", "hub"};

struct spoke_bench {
  bench_top b;
  cluster_agent self =
      make_cluster_agent({.cluster = "c1", .software = "test", .token = "id.secret", .ca_pin = "sha256:pin"});

  outbox start() { return b.start(self); }
  template <class Frame>
  outbox receive(Frame f) {
    return b.handle(self, hub_frame{session_id{1}, f});
  }
  /// Joined, connected, accepted and in sync.
  void sync() {
    start();
    b.handle(self, hub_connected{session_id{1}, "ca"});
    receive(join_certificate{"cert" + self.csr_pem.substr(3), "ca"});
    b.handle(self, hub_connected{session_id{1}, "ca"});
    b.handle(self, cluster_facts{
                       .healthy = true, .message = "", .kubernetes_version = "v1", .capacity = {}, .allocatable = {}});
    receive(welcome{.hub_incarnation = "hub-1", .hub_now = b.now, .accepted = true, .lease = std::chrono::seconds(60)});
    receive(sync_done{});
  }
};

}  // namespace

TEST_CASE("the key pair is stored before the first dial and used again after a restart", "[cluster_agent]") {
  spoke_bench s;
  const auto out = s.start();
  REQUIRE(sent<dial_hub>(out).size() == 1);
  CHECK(sent<dial_hub>(out)[0].cert_pem.empty());
  CHECK(sent<dial_hub>(out)[0].ca_pin == "sha256:pin");
  CHECK(s.b.has(identity));
  const auto csr = s.self.csr_pem;
  auto again = make_cluster_agent(s.self.options);
  s.b.start(again);
  CHECK(again.csr_pem == csr);
  CHECK(again.agent == s.self.agent);
}

TEST_CASE("without a certificate the spoke asks to join, with one it dials as a member", "[cluster_agent]") {
  spoke_bench s;
  s.start();
  const auto asked = frames<join_request>(s.b.handle(s.self, hub_connected{session_id{1}, "ca"}));
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].token == "id.secret");
  const auto out = s.receive(join_certificate{"cert" + s.self.csr_pem.substr(3), "the ca"});
  REQUIRE(sent<dial_hub>(out).size() == 1);
  CHECK(sent<dial_hub>(out)[0].ca_pem == "the ca");
  CHECK(string_at(s.b.get(identity), {"certificate"}).starts_with("cert|"));
}

TEST_CASE("a certificate for another key or name is not taken", "[cluster_agent]") {
  spoke_bench s;
  s.start();
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  for (const auto& csr : {cluster_csr("c1", s.self.agent, "another"), cluster_csr("c2", s.self.agent)}) {
    CHECK(sent<dial_hub>(s.receive(join_certificate{"cert" + csr.substr(3), "ca"})).empty());
    CHECK(s.self.cert_pem.empty());
  }
}

TEST_CASE("a final refusal before joining ends the spoke, after joining it only waits", "[cluster_agent]") {
  spoke_bench s;
  s.start();
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  const refused no{.code = errc::unauthorized, .message = "bad token", .retry_after = {}, .final = true};
  REQUIRE(sent<give_up>(s.receive(no)).size() == 1);
  spoke_bench member;
  member.sync();
  CHECK(sent<give_up>(member.receive(no)).empty());
}

TEST_CASE("an accepted member says what it holds, reports its cluster and beats", "[cluster_agent]") {
  spoke_bench s;
  s.b.put_document({names::prescriptions, "", "w"},
                   {{"metadata", {{"name", "w"}, {"uid", "u"}, {"generation", 3}, {"namespace", "c1"}}}});
  s.start();
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  s.receive(join_certificate{"cert" + s.self.csr_pem.substr(3), "ca"});
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  s.b.handle(s.self, cluster_facts{});
  const auto out = s.receive(
      welcome{.hub_incarnation = "hub-1", .hub_now = {}, .accepted = true, .lease = std::chrono::seconds(60)});
  REQUIRE(frames<sync_request>(out).size() == 1);
  CHECK(frames<sync_request>(out)[0].works == std::vector<held_work>{{"w", "u", generation{3}, false}});
  CHECK(frames<cluster_report>(out).size() == 1);
  CHECK(frames<heartbeat>(out).size() == 1);
  // OCM's agent renews after 1.0 to 1.25 periods.
  const auto next =
      std::find_if(out.timers.begin(), out.timers.end(), [](const auto& t) { return t.name == "heartbeat"; });
  REQUIRE(next != out.timers.end());
  CHECK(*next->after >= std::chrono::seconds(60));
  CHECK(*next->after <= std::chrono::seconds(75));
}

TEST_CASE("nothing is sent to a hub that has not accepted the cluster", "[cluster_agent]") {
  spoke_bench s;
  s.start();
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  s.receive(join_certificate{"cert" + s.self.csr_pem.substr(3), "ca"});
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  const auto out = s.receive(welcome{.hub_incarnation = "hub-1", .hub_now = {}, .accepted = false, .lease = {}});
  CHECK(sent<send_to_hub>(out).empty());
  CHECK(sent<prescribe>(s.receive(work_desired{})).empty());
}

TEST_CASE("reports wait for the link and are asked for again after a sync", "[cluster_agent]") {
  spoke_bench s;
  s.sync();
  s.b.handle(s.self, session_closed{session_id{1}, {errc::unavailable, "cut"}});
  const report_ready ready{{.name = "w", .uid = "u", .seq = 1, .observed = generation{1}, .status = share("{}")}};
  const work_held pending{.held = {"w", "u", generation{1}, false}, .gone = false, .reports_pending = true};
  CHECK(frames<work_report>(s.b.handle(s.self, ready)).empty());
  s.b.handle(s.self, pending);
  s.b.handle(s.self, hub_connected{session_id{1}, "ca"});
  s.receive(welcome{.hub_incarnation = "hub-1", .hub_now = {}, .accepted = true, .lease = std::chrono::seconds(60)});
  const auto out = s.receive(sync_done{});
  REQUIRE(sent<resend_report>(out).size() == 1);
  CHECK(out.sends[0].to == address{actor_kind::work, "w"});
  CHECK(frames<work_report>(s.b.handle(s.self, ready)).size() == 1);
}

TEST_CASE("when the hub has no such cluster, works with something unconfirmed are told", "[cluster_agent]") {
  spoke_bench s;
  s.sync();
  const work_held quiet{.held = {"quiet", "u1", generation{1}, false}, .gone = false, .reports_pending = false};
  const work_held over{.held = {"over", "u2", generation{1}, true}, .gone = false, .reports_pending = true};
  s.b.handle(s.self, quiet);
  s.b.handle(s.self, over);
  const auto other =
      s.receive(refused{.code = errc::unavailable, .message = "later", .retry_after = {}, .final = false});
  CHECK(sent<cluster_unknown>(other).empty());
  const auto out = s.receive(refused{.code = errc::not_found, .message = "gone", .retry_after = {}, .final = true});
  REQUIRE(sent<cluster_unknown>(out).size() == 1);
  CHECK(out.sends[0].to == address{actor_kind::work, "over"});
}

TEST_CASE("a report that waits in the mailbox does not outlive the news that nothing is pending", "[cluster_agent]") {
  spoke_bench s;
  s.sync();
  s.b.handle(s.self, work_held{.held = {"w", "u", generation{1}, false}, .gone = true, .reports_pending = false});
  s.b.handle(s.self,
             report_ready{{.name = "w", .uid = "u", .seq = 1, .observed = generation{1}, .status = share("{}")}});
  CHECK(sent<resend_report>(s.receive(sync_done{})).empty());
}

TEST_CASE("an agent that starts over asks every work for what is unacknowledged", "[cluster_agent]") {
  spoke_bench s;
  s.b.put_document({names::prescriptions, "", "w"},
                   {{"metadata", {{"name", "w"}, {"uid", "u"}, {"generation", 3}, {"namespace", "c1"}}}});
  s.sync();
  CHECK(sent<resend_report>(s.receive(sync_done{})).size() == 1);
  s.b.handle(s.self, work_held{.held = {"w", "u", generation{3}, false}, .gone = false, .reports_pending = false});
  CHECK(sent<resend_report>(s.receive(sync_done{})).empty());
}

TEST_CASE("a lost link is dialled again after a back-off", "[cluster_agent]") {
  spoke_bench s;
  s.sync();
  const auto out = s.b.handle(s.self, session_closed{session_id{1}, {errc::unavailable, "cut"}});
  CHECK(std::any_of(out.timers.begin(), out.timers.end(), [](const auto& t) { return t.name == "dial" && t.after; }));
  CHECK(sent<dial_hub>(s.b.handle(s.self, timer_fired{"dial"})).size() == 1);
}

TEST_CASE("frames and closings of an older connection are ignored", "[cluster_agent]") {
  spoke_bench s;
  s.sync();
  CHECK(s.b.handle(s.self, session_closed{session_id{99}, {}}).timers.empty());
  CHECK(s.b.handle(s.self, hub_frame{session_id{99}, work_desired{}}).sends.empty());
}
