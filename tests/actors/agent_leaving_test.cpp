// The cluster's administrator takes it away from the hub.
#include "agent_bench.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Matchers::Contains;

namespace {

/// A member with two works, stopped and started to leave.
struct leaving_bench : agent_bench {
  leaving_bench() {
    sync();
    for (const auto* name : {"w1", "w2"}) {
      hold(name);
      b.put_document({names::prescriptions, "", name},
                     {{"metadata", {{"name", name}, {"uid", std::string("u-") + name}, {"generation", 1}}}});
    }
    lose();
  }
  /// A run of `wheelhouse-spoke leave`.
  outbox leave(bool keep = false) {
    options.leave = leave_due{keep};
    return restart();
  }
  outbox gone(const std::string& name) {
    b.objects.erase({names::prescriptions, "", name});
    return give(work_held{.held = {name, "u-" + name, generation{1}, false}, .gone = true});
  }
};

}  // namespace

TEST_CASE("leaving evicts every work, tells the hub and erases the identity", "[agent][leaving]") {
  leaving_bench l;
  const auto begun = l.leave();
  REQUIRE(sent<withdraw>(begun).size() == 2);
  for (const auto& w : sent<withdraw>(begun)) CHECK((w.at_once && !w.keep && w.uid.starts_with("u-w")));
  CHECK(sent<dial_hub>(begun).size() == 1);
  CHECK(find_path(l.identity(), {"leaving"}));
  l.connect();
  const auto told = frames<leaving>(l.receive(l.accepted()));
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].keep_workloads);
  // Nothing else goes up, and what comes down is not taken.
  CHECK(sent<prescribe>(l.receive(work_desired{"w3", "u", generation{1}, false, share("{}")})).empty());
  CHECK(frames<cluster_report>(l.give(l.facts())).empty());
  CHECK(sent<left>(l.gone("w1")).empty());
  CHECK(sent<left>(l.lose()).empty());
  const auto over = l.gone("w2");
  REQUIRE(sent<left>(over).size() == 1);
  CHECK(sent<left>(over)[0].hub_told);
  CHECK(l.b.objects.empty());
  CHECK_THAT(logged(over), Contains("work w2 is removed; 0 left"));
  // Again: there is nothing left to leave.
  CHECK(sent<left>(l.leave()).size() == 1);
  CHECK(l.b.objects.empty());
}

TEST_CASE("with --keep-workloads works are let go of", "[agent][leaving]") {
  leaving_bench l;
  for (const auto& w : sent<withdraw>(l.leave(true))) CHECK((w.keep && w.at_once));
  l.connect();
  CHECK(frames<leaving>(l.receive(l.accepted())).at(0).keep_workloads);
}

TEST_CASE("a hub that cannot be reached does not hold the cluster", "[agent][leaving]") {
  leaving_bench l;
  l.leave();
  l.gone("w1");
  l.gone("w2");
  CHECK(armed(l.give(dial_failed{{errc::unavailable, "refused"}}), "dial"));
  const auto over = l.fire("leave-hub");
  REQUIRE(sent<left>(over).size() == 1);
  CHECK_FALSE(sent<left>(over)[0].hub_told);
  CHECK_THAT(logged(over), Contains("not told: no answer within 30s"));
  CHECK_FALSE(l.b.has(identity_key));
}

TEST_CASE("a hub that is too old or refuses is not told, and not waited for", "[agent][leaving]") {
  leaving_bench l;
  l.leave();
  l.connect();
  SECTION("too old") {
    auto old = l.accepted();
    old.level = 0;
    CHECK(frames<leaving>(l.receive(old)).empty());
  }
  SECTION("refuses") {
    l.receive(refused{.code = errc::not_found, .message = "unknown", .retry_after = {}, .final = true});
  }
  l.gone("w1");
  CHECK_FALSE(sent<left>(l.gone("w2")).at(0).hub_told);
}

TEST_CASE("a cluster that the hub has not accepted says that it leaves too", "[agent][leaving]") {
  leaving_bench l;
  l.leave();
  l.connect();
  CHECK(frames<leaving>(l.receive(l.refused_cluster(false))).size() == 1);
  CHECK(logged(l.fire("leave-goodbye")) == "the hub is told\n");
}

TEST_CASE("works that do not go are named, and another attempt goes on from there", "[agent][leaving]") {
  leaving_bench l;
  l.leave();
  l.connect();
  l.receive(l.accepted());
  l.lose();
  l.gone("w1");
  const auto stuck = sent<give_up>(l.fire("leave-works"));
  REQUIRE(stuck.size() == 1);
  CHECK_THAT(stuck[0].why, Contains("1 work") && Contains("w2"));
  CHECK(l.b.has(identity_key));
  const auto again = l.leave();
  CHECK(sent<withdraw>(again).size() == 1);
  CHECK(sent<dial_hub>(again).empty());  // it knows already
  CHECK(sent<left>(l.gone("w2")).at(0).hub_told);
}

TEST_CASE("a start that serves ends a leave that was interrupted", "[agent][leaving]") {
  leaving_bench l;
  l.leave(true);
  l.options.leave.reset();
  const auto out = l.restart();
  REQUIRE(sent<withdraw>(out).size() == 2);
  CHECK(sent<withdraw>(out)[0].keep);
  CHECK(frames<join_request>(l.connect()).empty());
}

TEST_CASE("one that has not joined yet leaves at once", "[agent][leaving]") {
  agent_bench a;
  a.restart();
  a.options.leave = leave_due{};
  const auto out = a.restart();
  CHECK_FALSE(sent<left>(out).at(0).hub_told);
  CHECK_THAT(logged(out), Contains("has not joined"));
  CHECK(a.b.objects.empty());
}

TEST_CASE("the labels of managed namespaces go before the identity", "[agent][leaving]") {
  leaving_bench l;
  l.restart();
  l.connect();
  l.receive(l.accepted());
  const auto apply = sent<cluster_call>(l.receive(managed_namespaces{"h", {{"n", "s"}}})).at(0);
  l.give(cluster_reply{.id = apply.id, .failure = {}, .body = share("{}"), .resource = "", .namespaced = false});
  const auto begun = l.give(leave_due{false});
  const auto look = sent<cluster_call>(begun).at(0);
  CHECK(look.verb == cluster_call::verb_kind::get);
  l.gone("w1");
  l.gone("w2");
  CHECK(sent<left>(l.fire("leave-hub")).empty());
  const auto label = std::string(cluster_set_label_prefix) + "h";
  const document live = {{"metadata", {{"name", "n"}, {"labels", {{label, "true"}}}}}};
  const auto write = sent<cluster_call>(l.give(
      cluster_reply{.id = look.id, .failure = {}, .body = share(live.dump()), .resource = "", .namespaced = false}));
  REQUIRE(write.size() == 1);
  CHECK(label_of(document::parse(*write[0].body), label) == "false");
  const auto over = l.give(
      cluster_reply{.id = write[0].id, .failure = {}, .body = write[0].body, .resource = "", .namespaced = false});
  CHECK(sent<left>(over).size() == 1);
  CHECK(l.b.objects.empty());
}
