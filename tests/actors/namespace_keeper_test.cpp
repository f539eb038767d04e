// The namespaces that the hub's sets want on a cluster.
#include "agent_bench.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Matchers::Contains;

namespace {

const std::string label = std::string(cluster_set_label_prefix) + "h1";

/// A cluster with nothing but namespaces.
struct namespaces_bench : agent_bench {
  std::map<std::string, document> live;
  std::map<std::string, error> broken;
  std::vector<std::string> calls;
  std::optional<cluster_report> reported;

  namespaces_bench() { sync(); }

  outbox settle(outbox out) {
    for (const auto& r : frames<cluster_report>(out)) reported = r;
    for (const auto& c : sent<cluster_call>(out)) settle(give(answer(c)));
    return out;
  }
  void told(const std::map<std::string, std::string>& namespaces, const std::string& hash = "h1") {
    pass(std::chrono::minutes(1));
    settle(receive(managed_namespaces{hash, namespaces}));
    pass(std::chrono::minutes(1));
    settle(fire("report"));
  }
  cluster_reply answer(const cluster_call& c) {
    using verb = cluster_call::verb_kind;
    cluster_reply reply{.id = c.id, .failure = {}, .body = nullptr, .resource = "namespaces", .namespaced = false};
    REQUIRE(c.object.kind == "Namespace");
    REQUIRE((c.verb == verb::apply || c.verb == verb::get || c.verb == verb::replace));
    calls.push_back((c.verb == verb::apply ? "apply " : c.verb == verb::get ? "get " : "replace ") + c.object.name);
    if (broken.contains(c.object.name)) reply.failure = broken.at(c.object.name);
    else if (c.verb == verb::get && !live.contains(c.object.name)) reply.failure = error{errc::not_found, "absent"};
    else if (c.verb == verb::apply) live[c.object.name].merge_patch(document::parse(*c.body));
    else if (c.verb == verb::replace) live[c.object.name] = document::parse(*c.body);
    if (!reply.failure) reply.body = share(live[c.object.name].dump());
    return reply;
  }
  std::string label_of_live(const std::string& name) { return std::string(label_of(live.at(name), label)); }
};

}  // namespace

TEST_CASE("namespaces of sets are made with their label and reported", "[namespaces]") {
  namespaces_bench n;
  n.live["b"] = {{"metadata", {{"name", "b"}, {"labels", {{"mine", "1"}}}}}};
  n.told({{"a", "set1"}, {"b", "set1,set2"}});
  CHECK(n.label_of_live("a") == "true");
  CHECK(n.label_of_live("b") == "true");
  CHECK(label_of(n.live["b"], "mine") == "1");
  REQUIRE(n.reported);
  CHECK(n.reported->namespaces == std::map<std::string, std::string>{{"a", ""}, {"b", ""}});
  n.calls.clear();
  n.told({{"a", "set1"}, {"b", "set1,set2"}});
  CHECK(n.calls.empty());
}

TEST_CASE("a namespace that is not listed any more only loses its label, also after a restart", "[namespaces]") {
  namespaces_bench n;
  n.told({{"a", "s"}, {"b", "s"}});
  n.lose();
  n.settle(n.restart());
  n.connect();
  n.give(n.facts());
  n.receive(n.accepted());
  n.calls.clear();
  n.told({{"b", "s"}});
  CHECK(n.label_of_live("a") == "false");
  CHECK(n.label_of_live("b") == "true");
  CHECK(n.reported->namespaces == std::map<std::string, std::string>{{"b", ""}});
  n.told({});
  CHECK(n.label_of_live("b") == "false");
  CHECK(n.live.size() == 2);
  CHECK(n.reported->namespaces.empty());
  CHECK_FALSE(n.b.has({names::managed_namespaces, "", "hub"}));
}

TEST_CASE("a namespace that somebody removed meanwhile is not made for its label", "[namespaces]") {
  namespaces_bench n;
  n.told({{"a", "s"}});
  n.live.clear();
  n.told({});
  CHECK(n.live.empty());
}

TEST_CASE("what goes wrong with a namespace is reported and tried again", "[namespaces]") {
  namespaces_bench n;
  n.broken["a"] = {errc::read_only, "the disk is full"};
  n.told({{"a", "s"}, {"b", "s"}});
  CHECK(n.reported->namespaces == std::map<std::string, std::string>{{"a", "the disk is full"}, {"b", ""}});
  n.broken.clear();
  n.settle(n.fire(namespaces_timer));
  n.pass(std::chrono::minutes(1));
  n.settle(n.fire("report"));
  CHECK(n.reported->namespaces.at("a").empty());
}

TEST_CASE("names that cannot be namespaces never become a path", "[namespaces]") {
  namespaces_bench n;
  n.told({{"../../secrets", "s"}, {"", "s"}, {"UPPER", "s"}, {std::string(64, 'a'), "s"}});
  CHECK(n.calls.empty());
  CHECK(n.reported->namespaces.size() == 4);
  CHECK_THAT(n.reported->namespaces.at("UPPER"), Contains("not a namespace's name"));
  n.told({{"a", "s"}}, "not/a/hash");
  CHECK(n.calls.empty());
}

TEST_CASE("a namespace that is deleted or relabelled on the cluster is put right", "[namespaces]") {
  namespaces_bench n;
  const auto out = n.receive(managed_namespaces{"h1", {{"a", "s"}}});
  REQUIRE(sent<cluster_watch>(out).size() == 1);
  CHECK(sent<cluster_watch>(out)[0].objects == std::vector<cluster_object>{{"v1", "Namespace", "", "a"}});
  n.settle(out);
  n.live.clear();
  n.settle(n.give(drifted{{"v1", "Namespace", "", "a"}, revision{9}}));
  CHECK(n.label_of_live("a") == "true");
}

TEST_CASE("a namespace that is being deleted is a problem, not a success", "[namespaces]") {
  namespaces_bench n;
  n.live["a"] = {{"metadata", {{"name", "a"}, {"deletionTimestamp", "2026-01-01T00:00:00Z"}}}};
  n.told({{"a", "s"}});
  CHECK_THAT(n.reported->namespaces.at("a"), Contains("being deleted"));
}

TEST_CASE("the label of another hub is another", "[namespaces]") {
  namespaces_bench n;
  n.told({{"a", "s"}}, "h1");
  n.told({{"a", "s"}}, "h2");
  CHECK(n.label_of_live("a") == "false");
  CHECK(label_of(n.live["a"], std::string(cluster_set_label_prefix) + "h2") == "true");
}

TEST_CASE("a hub that has not accepted the cluster names no namespaces", "[namespaces]") {
  namespaces_bench n;
  n.receive(n.refused_cluster(true));
  n.told({{"a", "s"}});
  CHECK(n.calls.empty());
}
