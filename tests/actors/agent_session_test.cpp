// What a session does beyond syncing: clean-up, histories, clocks, health, claims.
#include "agent_bench.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Matchers::Contains;

namespace {

work_desired desired(const std::string& name, bool deleting) {
  return {.name = name, .uid = "u-" + name, .gen = generation{2}, .deleting = deleting, .body = share("{}")};
}

report_ready report_of(const std::string& name) {
  return {{.name = name, .uid = "u-" + name, .seq = 1, .observed = generation{1}, .status = share("{}")}};
}

std::optional<cluster_report> last_report(const outbox& out) {
  const auto all = frames<cluster_report>(out);
  return all.empty() ? std::nullopt : std::optional(all.back());
}

}  // namespace

TEST_CASE("hello names this run of the process, another run another", "[agent][session]") {
  agent_bench a;
  a.options.instance = "run-1";
  CHECK(sent<dial_hub>(a.restart()).at(0).greeting.instance == "run-1");
  CHECK(sent<dial_hub>(a.restart()).at(0).greeting.level == link_level);
}

TEST_CASE("the join tells annotations and the cluster's own API", "[agent][session]") {
  agent_bench a;
  a.options.annotations = {{"agent.open-cluster-management.io/k", "v"}};
  a.options.client_configs = {{"https://c1.example:6443", "pem"}};
  a.restart();
  const auto asked = frames<join_request>(a.connect()).at(0);
  CHECK(asked.annotations == a.options.annotations);
  CHECK(asked.client_configs == a.options.client_configs);
}

TEST_CASE("in clean-up only removals pass, either way", "[agent][session]") {
  agent_bench a;
  a.sync();
  a.hold("stays");
  a.hold("goes", true);
  const auto denied = a.receive(a.refused_cluster(true));
  CHECK(frames<sync_request>(denied).size() == 1);
  CHECK(frames<cluster_report>(denied).empty());
  CHECK(frames<heartbeat>(denied).empty());
  CHECK(denied.timers.size() >= 1);
  CHECK_FALSE(armed(denied, "heartbeat"));
  // Nothing before the hub has answered.
  CHECK(frames<work_report>(a.give(report_of("goes"))).empty());
  CHECK(sent<prescribe>(a.receive(desired("goes", true))).size() == 1);
  CHECK(sent<prescribe>(a.receive(desired("stays", false))).empty());
  CHECK(sent<withdraw>(a.receive(work_unknown{"stays", "u-stays"})).empty());
  a.receive(sync_done{});
  CHECK(frames<work_report>(a.give(report_of("goes"))).size() == 1);
  CHECK(frames<work_report>(a.give(report_of("stays"))).empty());
  CHECK(frames<work_finished>(a.give(finished_ready{{.name = "goes", .uid = "u-goes"}})).size() == 1);
  CHECK(sent<withdraw>(a.receive(work_unknown{"goes", "u-goes"})).size() == 1);
  // No heartbeat, no state of the cluster, no renewal.
  CHECK(a.fire("heartbeat").sends.empty());
  auto other = a.facts();
  other.kubernetes_version = "v2";
  CHECK(frames<cluster_report>(a.give(other)).empty());
  a.pass(certificate_life * 90 / 100);
  CHECK(frames<renew_request>(a.fire("certificate")).empty());
  // Told again, it does not ask again.
  CHECK(frames<sync_request>(a.receive(a.refused_cluster(true))).empty());
  a.give(work_held{.held = {"goes", "u-goes", generation{1}, true}, .gone = true});
  CHECK(a.receive(a.refused_cluster(false)).sends.empty());
  CHECK(frames<work_report>(a.give(report_of("stays"))).empty());
}

TEST_CASE("accepted again after a denial restores everything", "[agent][session]") {
  agent_bench a;
  a.sync();
  a.hold("w");
  for (const bool cleanup : {true, false}) {
    a.receive(a.refused_cluster(cleanup));
    const auto out = a.receive(a.accepted());
    CHECK(frames<sync_request>(out).size() == 1);
    CHECK(frames<cluster_report>(out).size() == 1);
    CHECK(frames<heartbeat>(out).size() == 1);
    CHECK(armed(out, "heartbeat"));
    a.receive(sync_done{});
    CHECK(frames<work_report>(a.give(report_of("w"))).size() == 1);
  }
}

TEST_CASE("a spoke whose first welcome is a clean-up takes removals and nothing else", "[agent][session]") {
  agent_bench a;
  a.join();
  a.hold("w");
  a.connect();
  a.give(a.facts());
  const auto out = a.receive(a.refused_cluster(true));
  CHECK(frames<sync_request>(out).at(0).works.size() == 1);
  CHECK(frames<cluster_report>(out).empty());
  CHECK(sent<prescribe>(a.receive(desired("w", true))).size() == 1);
  a.receive(sync_done{});
  // Clean-up is not a sync: what this hub has and has not is not known.
  CHECK(a.self.hub_incarnation.empty());
}

TEST_CASE("a work's history is told where it is not the one that hello names", "[agent][session]") {
  agent_bench a;
  a.sync();
  a.hold("old", false, "hub-1");
  a.hold("new", false, "hub-2");
  a.lose();
  a.connect();
  const auto first = frames<sync_request>(a.receive(a.accepted("hub-2"))).at(0).works;
  REQUIRE(first.size() == 2);
  CHECK(first[0] == held_work{"new", "u-new", generation{1}, false, "hub-2"});
  CHECK(first[1] == held_work{"old", "u-old", generation{1}, false, ""});
  // The restored hub knew nothing of `old`. At the next connection hello names its history, and the work still its own.
  a.receive(sync_done{});
  a.lose();
  a.fire("dial");
  a.connect();
  const auto second = frames<sync_request>(a.receive(a.accepted("hub-2"))).at(0).works;
  CHECK(second[0].history.empty());
  CHECK(second[1].history == "hub-1");
}

TEST_CASE("the history of a work survives a restart", "[agent][session]") {
  agent_bench a;
  a.sync();
  a.b.put_document({names::prescriptions, "", "w"},
                   {{"metadata", {{"name", "w"}, {"uid", "u"}, {"generation", 3}, {"namespace", "c1"}}}});
  a.b.put_document({names::work_states, "", "w"}, {{"metadata", {{"name", "w"}}}, {"hubHistory", "older"}});
  a.restart();
  a.connect();
  const auto works = frames<sync_request>(a.receive(a.accepted())).at(0).works;
  CHECK(works == std::vector<held_work>{{"w", "u", generation{3}, false, "older"}});
}

TEST_CASE("clocks that differ are told once a connection", "[agent][session]") {
  agent_bench a;
  a.sync();
  const auto welcome_at = [&](duration hub_ahead) {
    a.lose();
    a.connect();
    auto w = a.accepted();
    w.hub_now += hub_ahead;
    return a.receive(w);
  };
  CHECK_THAT(logged(welcome_at(std::chrono::seconds(4))), !Contains("clock"));
  const auto some = welcome_at(std::chrono::seconds(90));
  CHECK_THAT(logged(some), Contains("clock is 90s behind"));
  CHECK_THAT(logged(some, note_level::warning), !Contains("clock"));
  CHECK_THAT(logged(a.receive(a.accepted())), !Contains("clock"));
  CHECK_THAT(logged(welcome_at(-std::chrono::hours(2)), note_level::warning), Contains("ahead of the hub's"));
}

TEST_CASE("an ailing cluster is reported after 20 seconds, a healthy one at once", "[agent][health]") {
  agent_bench a;
  a.sync();
  auto ill = a.facts();
  ill.healthy = false;
  ill.message = "read-only";
  CHECK(armed(a.give(ill), "health") == std::chrono::seconds(20));
  a.pass(std::chrono::seconds(10));
  CHECK(frames<cluster_report>(a.give(ill)).empty());
  // Healthy again in time: nobody hears of it.
  CHECK(frames<cluster_report>(a.give(a.facts())).empty());
  CHECK(frames<cluster_report>(a.fire("health")).empty());
  a.give(ill);
  a.pass(std::chrono::seconds(19));
  CHECK(frames<cluster_report>(a.fire("health")).empty());
  a.pass(std::chrono::seconds(1));
  const auto bad = last_report(a.fire("health"));
  REQUIRE(bad);
  CHECK_FALSE(bad->available);
  CHECK(bad->available_message == "read-only");
  CHECK(bad->kubernetes_version == "v1");
  a.pass(std::chrono::seconds(5));
  const auto good = last_report(a.give(a.facts()));
  REQUIRE(good);
  CHECK(good->available);
}

TEST_CASE("a cluster that is ill from the start is not called healthy", "[agent][health]") {
  agent_bench a;
  a.join();
  a.connect();
  cluster_facts ill;
  ill.healthy = false;
  a.give(ill);
  CHECK(frames<cluster_report>(a.receive(a.accepted())).empty());
  a.pass(std::chrono::seconds(20));
  CHECK_FALSE(last_report(a.fire("health")).value().available);
}

TEST_CASE("changes go up within seconds, the same again does not, and each sync tells all", "[agent][reports]") {
  agent_bench a;
  a.sync();
  CHECK(frames<cluster_report>(a.give(a.facts())).empty());
  auto more = a.facts();
  more.claims = {{"id.k8s.io", "1"}};
  const auto soon = a.give(more);
  CHECK(frames<cluster_report>(soon).empty());
  REQUIRE(armed(soon, "report"));
  CHECK(*armed(soon, "report") <= std::chrono::seconds(5));
  a.pass(*armed(soon, "report"));
  CHECK(last_report(a.fire("report")).value().claims == more.claims);
  a.pass(std::chrono::minutes(1));
  more.claims["custom"] = "2";
  CHECK(last_report(a.give(more)).value().claims == more.claims);
  a.lose();
  a.connect();
  CHECK(last_report(a.receive(a.accepted())).value().claims == more.claims);
}

TEST_CASE("claims beyond the limit are counted, and said once", "[agent][reports]") {
  agent_bench a;
  a.options.claims.custom_max = 1;
  a.sync();
  a.pass(std::chrono::minutes(1));
  auto many = a.facts();
  many.claims = {{"a", "1"}, {"b", "1"}};
  const auto out = a.give(many);
  CHECK(last_report(out).value().claims_dropped == 1);
  CHECK_THAT(logged(out, note_level::warning), Contains("1 cluster claims beyond the limit of 1"));
  a.pass(std::chrono::minutes(1));
  many.kubernetes_version = "v2";
  CHECK(logged(a.give(many), note_level::warning).empty());
}

TEST_CASE("a hub that is gone takes nothing away", "[agent][session]") {
  agent_bench a;
  a.sync();
  a.hold("w");
  a.lose();
  std::size_t withdrawn = 0;
  const auto watch = [&](const outbox& out) {
    withdrawn += sent<withdraw>(out).size() + sent<prescribe>(out).size() + sent<cluster_call>(out).size();
  };
  for (int day = 0; day < 400; ++day) {
    a.pass(std::chrono::hours(24));
    watch(a.fire("certificate"));
    watch(a.fire("dial"));
    watch(a.give(dial_failed{{errc::unavailable, "no route"}}));
    watch(a.fire("health"));
    watch(a.fire(namespaces_timer));
    if (day % 50 == 0) watch(a.restart());
    if (day % 50 == 0) a.hold("w");
  }
  CHECK(withdrawn == 0);
  CHECK(a.self.held.contains("w"));
}
