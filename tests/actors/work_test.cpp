#include "work_bench.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("a prescription is stored before the cluster is touched, then applied and reported", "[work]") {
  cluster_bench c;
  const auto first = c.b.handle(c.self, prescribe{desired({config_map("a", "1")}), "hub-1"});
  CHECK(std::any_of(first.writes.puts.begin(), first.writes.puts.end(),
                    [](const put& p) { return p.key == prescription; }));
  REQUIRE(sent<cluster_call>(first).size() == 1);
  CHECK(sent<cluster_call>(first)[0].verb == cluster_call::verb_kind::get);
  c.settle(first);
  REQUIRE(c.find("a"));
  CHECK((*c.find("a"))["data"]["k"] == "1");
  CHECK(c.condition("Applied") == "True");
  CHECK(c.condition("Available") == "True");
  const auto status = c.last_report();
  CHECK(status["conditions"][0]["observedGeneration"] == 1);
  CHECK(status["resourceStatus"]["manifests"][0]["resourceMeta"]["resource"] == "configmaps");
}

TEST_CASE("generations of a restored hub are not compared with those from before", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "newer")}, 5), "hub-1"});
  c.give(prescribe{desired({config_map("a", "late")}, 4), "hub-1"});
  CHECK((*c.find("a"))["data"]["k"] == "newer");
  const auto lower = desired({config_map("a", "as in the backup")}, 3);
  c.give(prescribe{lower, "hub-2"});
  CHECK((*c.find("a"))["data"]["k"] == "as in the backup");
  CHECK(c.last_report()["conditions"][0]["observedGeneration"] == 3);
  // The same number as before the restore, and another content.
  c.give(prescribe{desired({config_map("a", "made anew")}, 3), "hub-3"});
  CHECK((*c.find("a"))["data"]["k"] == "made anew");
  auto reborn = make_work("w", "hash", "hash");
  c.b.start(reborn);
  CHECK(reborn.history == "hub-3");
}

TEST_CASE("the intent is durable before the first object is made", "[work]") {
  cluster_bench c;
  const auto out = c.b.handle(c.self, prescribe{desired({config_map("a", "1")}), "hub-1"});
  auto reborn = make_work("w", "hash", "hash");
  c.b.start(reborn);
  REQUIRE(reborn.applied.size() == 1);
  CHECK(reborn.applied[0].object.name == "a");
  CHECK(reborn.applied[0].uid.empty());
}

TEST_CASE("the anchor owns what is applied and lists it", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  const auto* anchor = c.find("hash-w");
  REQUIRE(anchor);
  CHECK((*anchor)["spec"] == document{{"hubHash", "hash"}, {"agentID", "hash"}, {"manifestWorkName", "w"}});
  CHECK((*anchor)["status"]["appliedResources"][0]["name"] == "a");
  CHECK((*c.find("a"))["metadata"]["ownerReferences"][0]["uid"] == (*anchor)["metadata"]["uid"]);
}

TEST_CASE("a round that finds everything in place writes nothing", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
  c.writes.clear();
  c.wake();
  CHECK(c.writes.empty());
}

TEST_CASE("drift is repaired; news of our own writes starts no round", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  const cluster_object object{"v1", "ConfigMap", "shop", "a"};
  CHECK(c.b.handle(c.self, drifted{object, revision{c.revision - 1}}).timers.empty());
  (*c.find("a"))["data"]["k"] = "damaged";
  (*c.find("a"))["metadata"]["resourceVersion"] = "900";
  const auto out = c.b.handle(c.self, drifted{object, revision{900}});
  REQUIRE(out.timers.size() == 1);
  CHECK(out.timers[0].after <= std::chrono::milliseconds(100));
  c.wake();
  CHECK((*c.find("a"))["data"]["k"] == "1");
}

TEST_CASE("the work asks for news of its objects before it first looks at them", "[work]") {
  cluster_bench c;
  const auto out = c.b.handle(c.self, prescribe{desired({config_map("a", "1")}), "hub-1"});
  REQUIRE(out.sends.size() >= 2);
  const auto position = [&](auto type) {
    for (std::size_t i = 0; i < out.sends.size(); ++i)
      if (std::holds_alternative<decltype(type)>(out.sends[i].body)) return i;
    return out.sends.size();
  };
  CHECK(position(cluster_watch{}) < position(cluster_call{}));
  CHECK(sent<cluster_watch>(out)[0].objects.size() == 2);
}

TEST_CASE("a deleted object is made again", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.objects.erase({"v1", "ConfigMap", "shop", "a"});
  c.give(drifted{{"v1", "ConfigMap", "shop", "a"}, revision{901}});
  c.wake();
  CHECK(c.find("a"));
}

TEST_CASE("CreateOnly leaves a changed object alone", "[work]") {
  cluster_bench c;
  const document spec = {
      {"manifestConfigs",
       {{{"resourceIdentifier", {{"group", ""}, {"resource", "configmaps"}, {"namespace", "shop"}, {"name", "a"}}},
         {"updateStrategy", {{"type", "CreateOnly"}}}}}}};
  c.give(prescribe{desired({config_map("a", "1")}, 1, false, spec), "hub-1"});
  (*c.find("a"))["data"]["k"] = "mine";
  (*c.find("a"))["metadata"]["resourceVersion"] = "900";
  c.wake();
  CHECK((*c.find("a"))["data"]["k"] == "mine");
}

TEST_CASE("a manifest that is no longer listed is removed, the others stay", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
  c.give(prescribe{desired({config_map("b", "2")}, 2), "hub-1"});
  CHECK_FALSE(c.find("a"));
  REQUIRE(c.find("b"));
  CHECK((*c.find("b"))["data"]["k"] == "2");
}

TEST_CASE("an object that another work owns too only loses our reference", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  (*c.find("a"))["metadata"]["ownerReferences"].push_back(
      {{"kind", "AppliedManifestWork"}, {"name", "hash-x"}, {"uid", "x"}});
  c.give(prescribe{desired({config_map("b", "1")}, 2), "hub-1"});
  REQUIRE(c.find("a"));
  CHECK((*c.find("a"))["metadata"]["ownerReferences"].size() == 1);
}

TEST_CASE("an object of the same name that is not ours any more is left alone", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  (*c.find("a"))["metadata"]["uid"] = "made by somebody else";
  c.give(prescribe{desired({config_map("b", "1")}, 2), "hub-1"});
  CHECK(c.find("a"));
}

TEST_CASE("nothing is removed while a manifest cannot be identified", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.broken["odd"] = {errc::unsupported, "the cluster knows no kind"};
  c.give(prescribe{desired({config_map("odd", "1")}, 2), "hub-1"});
  CHECK(c.find("a"));
  CHECK(c.condition("Applied") == "False");
  CHECK(c.condition("Available") == "Unknown");
}

TEST_CASE("a failing manifest does not stop the others and is tried again", "[work]") {
  cluster_bench c;
  c.broken["a"] = {errc::invalid, "bad field"};
  c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
  CHECK(c.find("b"));
  CHECK(c.condition("Applied") == "False");
  const auto& timers = c.outs.back().timers;
  CHECK(std::any_of(timers.begin(), timers.end(), [](const auto& t) { return t.name == "reconcile" && t.after; }));
  c.broken.clear();
  c.wake();
  CHECK(c.condition("Applied") == "True");
}

TEST_CASE("a deleted work removes its objects and the anchor, then waits for the hub's word", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.give(prescribe{desired({config_map("a", "1")}, 1, true), "hub-1"});
  CHECK(c.objects.empty());
  CHECK(c.said_finished());
  CHECK(c.b.has(prescription));
  c.give(withdraw{"uid-w"});
  CHECK_FALSE(c.b.has(prescription));
}

TEST_CASE("a work that is over is forgotten when the hub has no such cluster, any other is kept", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.give(cluster_unknown{});
  CHECK(c.b.has(prescription));
  CHECK(c.find("a"));
  c.give(prescribe{desired({config_map("a", "1")}, 1, true), "hub-1"});
  REQUIRE(c.said_finished());
  c.give(cluster_unknown{});
  CHECK_FALSE(c.b.has(prescription));
  CHECK_FALSE(c.b.has({names::work_states, "", "w"}));
  CHECK(wants_to_retire(c.self));
}

TEST_CASE("a work of the same name that comes after one that is over reports anew", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.give(prescribe{desired({config_map("a", "1")}, 1, true), "hub-1"});
  c.give(withdraw{"uid-w"});
  CHECK(wants_to_retire(c.self));
  c.outs.clear();
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  CHECK(c.condition("Applied") == "True");
  CHECK(c.b.has({names::work_states, "", "w"}));
  CHECK_FALSE(wants_to_retire(c.self));
}

TEST_CASE("with Orphan the objects stay and lose the reference", "[work]") {
  cluster_bench c;
  const document spec = {{"deleteOption", {{"propagationPolicy", "Orphan"}}}};
  c.give(prescribe{desired({config_map("a", "1")}, 1, false, spec), "hub-1"});
  c.give(prescribe{desired({config_map("a", "1")}, 1, true, spec), "hub-1"});
  REQUIRE(c.find("a"));
  CHECK_FALSE((*c.find("a"))["metadata"].contains("ownerReferences"));
  CHECK_FALSE(c.find("hash-w"));
  CHECK(c.said_finished());
}

TEST_CASE("removal waits for finalizers of others", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  (*c.find("a"))["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  (*c.find("a"))["metadata"]["finalizers"] = {"theirs"};
  c.give(prescribe{desired({config_map("a", "1")}, 1, true), "hub-1"});
  CHECK_FALSE(c.said_finished());
  CHECK(c.find("hash-w"));
  c.objects.erase({"v1", "ConfigMap", "shop", "a"});
  c.wake();
  CHECK(c.said_finished());
}

TEST_CASE("a work that the hub has forgotten keeps its objects for an hour", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.give(withdraw{"uid-w"});
  c.wake();
  CHECK(c.find("a"));
  c.b.now += std::chrono::minutes(61);
  c.give(timer_fired{"evict"});
  CHECK_FALSE(c.find("a"));
  CHECK_FALSE(c.b.has(prescription));
}

TEST_CASE("a forgotten work that comes back in time is not evicted", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.give(withdraw{"uid-w"});
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  c.b.now += std::chrono::minutes(61);
  c.wake();
  CHECK(c.find("a"));
}

TEST_CASE("when somebody deletes the anchor, everything is removed and made anew", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  const auto uid = (*c.find("a"))["metadata"]["uid"];
  (*c.find("hash-w"))["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  c.wake();
  REQUIRE(c.find("a"));
  CHECK((*c.find("a"))["metadata"]["uid"] != uid);
  REQUIRE(c.find("hash-w"));
  CHECK_FALSE((*c.find("hash-w"))["metadata"].contains("deletionTimestamp"));
}

TEST_CASE("a restarted work goes on from its store and reports what was not acknowledged", "[work]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  auto reborn = make_work("w", "hash", "hash");
  const auto out = c.b.start(reborn);
  REQUIRE(sent<work_held>(out).size() == 1);
  CHECK(sent<work_held>(out)[0].reports_pending);
  const auto again = sent<report_ready>(c.b.handle(reborn, resend_report{}));
  REQUIRE(again.size() == 1);
  CHECK(again[0].report.seq == reborn.report_seq);
  c.b.handle(reborn, report_acked{"uid-w", reborn.report_seq});
  CHECK(sent<report_ready>(c.b.handle(reborn, resend_report{})).empty());
}

TEST_CASE("a new prescription during a round lets the call under way end, then starts over", "[work]") {
  cluster_bench c;
  auto out = c.b.handle(c.self, prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
  // Through the anchor's two steps to the first object's get.
  for (int i = 0; i < 2; ++i) out = c.b.handle(c.self, c.answer(sent<cluster_call>(out).at(0)));
  const auto pending = sent<cluster_call>(out).at(0);
  CHECK(sent<cluster_call>(c.b.handle(c.self, prescribe{desired({config_map("c", "2")}, 2), "hub-1"})).empty());
  c.settle(c.b.handle(c.self, c.answer(pending)));
  CHECK(c.find("c"));
  CHECK_FALSE(c.find("a"));
  CHECK_FALSE(c.find("b"));
  CHECK(c.condition("Applied") == "True");
}

namespace {

/// A spec that applies config maps from the server's side.
document applying(const document& options = document::object()) {
  return {{"manifestConfigs",
           {{{"resourceIdentifier", {{"group", ""}, {"resource", "configmaps"}, {"namespace", "*"}, {"name", "*"}}},
             {"updateStrategy", {{"type", "ServerSideApply"}, {"serverSideApply", options}}}}}}};
}

/// The writes to objects that the work was asked for.
std::vector<std::string> object_writes(const cluster_bench& c) {
  std::vector<std::string> out;
  for (const auto& w : c.writes)
    if (w.find("hash-w") == std::string::npos) out.push_back(w);
  return out;
}

}  // namespace

TEST_CASE("ServerSideApply applies as the manager that the work names, then sees to the owner", "[work]") {
  cluster_bench c;
  auto m = config_map("a", "1");
  m["metadata"]["creationTimestamp"] = nullptr;
  m["metadata"]["managedFields"] = document::array();
  c.give(prescribe{desired({m}, 1, false, applying()), "hub-1"});
  CHECK(object_writes(c) == std::vector<std::string>{"apply a as work-agent", "replace a"});
  REQUIRE(c.find("a"));
  CHECK((*c.find("a"))["metadata"]["ownerReferences"].size() == 1);
  CHECK_FALSE((*c.find("a"))["metadata"].contains("managedFields"));
  CHECK(c.condition("Applied") == "True");
  c.writes.clear();
  c.wake();
  CHECK(object_writes(c).empty());
  // What others add stays; what they touch is applied again.
  (*c.find("a"))["data"]["other"] = "x";
  (*c.find("a"))["metadata"]["resourceVersion"] = "77";
  c.wake();
  CHECK(object_writes(c) == std::vector<std::string>{"apply a as work-agent"});
  CHECK((*c.find("a"))["data"]["other"] == "x");
  c.writes.clear();
  c.give(prescribe{desired({m}, 2, false, applying({{"fieldManager", "work-agent-2"}, {"force", true}})), "hub-1"});
  CHECK(object_writes(c) == std::vector<std::string>{"apply a as work-agent-2 by force"});
}

TEST_CASE("a conflict of ServerSideApply is reported and not hurried", "[work]") {
  cluster_bench c;
  c.contested["a"] = error{errc::conflict, "Apply failed with 1 conflict: conflict with \"x\": .data.k"};
  c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}, 1, false, applying()), "hub-1"});
  CHECK(object_writes(c) == std::vector<std::string>{"apply a as work-agent", "apply b as work-agent", "replace b"});
  CHECK(c.condition("Applied") == "False");
  const auto status = c.last_report();
  const auto& applied = status["resourceStatus"]["manifests"][0]["conditions"];
  const auto* condition = find_condition(applied, "Applied");
  REQUIRE(condition);
  CHECK((*condition)["status"] == "False");
  CHECK((*condition)["reason"] == "AppliedManifestFailed");
  CHECK((*condition)["message"] ==
        "Failed to apply manifest: Apply failed with 1 conflict: conflict with \"x\": .data.k");
  CHECK(c.self.failures == 0);
  c.give(prescribe{desired({config_map("a", "1")}, 2, false, applying({{"force", true}})), "hub-1"});
  CHECK(c.condition("Applied") == "True");
}

TEST_CASE("ServerSideApply without an owner's reference writes once", "[work]") {
  cluster_bench c;
  auto spec = applying();
  spec["deleteOption"]["propagationPolicy"] = "Orphan";
  c.give(prescribe{desired({config_map("a", "1")}, 1, false, spec), "hub-1"});
  CHECK(object_writes(c) == std::vector<std::string>{"apply a as work-agent"});
}

TEST_CASE("fields to ignore are written once, or when the manifest changes", "[work]") {
  struct row {
    const char* condition;
    const char* language;
    const char* path;
    const char* after_drift;   ///< data.k once somebody wrote `x` there
    const char* after_change;  ///< and the manifest says something else
  };
  const row rows[] = {
      {"OnSpokePresent", "jsonPaths", ".data.k", "x", "x"},    {"OnSpokePresent", "jsonPaths", "$['data'].k", "x", "x"},
      {"OnSpokePresent", "jsonPointers", "/data/k", "x", "x"}, {"OnSpokePresent", "jsonPointers", "/none/k", "x", "2"},
      {"OnSpokeChange", "jsonPaths", ".data.k", "x", "2"},
  };
  for (const auto& r : rows) {
    INFO(r.condition << " " << r.path);
    cluster_bench c;
    const auto spec = applying({{"ignoreFields", {{{"condition", r.condition}, {r.language, {r.path}}}}}});
    c.give(prescribe{desired({config_map("a", "1")}, 1, false, spec), "hub-1"});
    CHECK((*c.find("a"))["data"]["k"] == "1");
    (*c.find("a"))["data"]["k"] = "x";
    (*c.find("a"))["metadata"]["resourceVersion"] = "77";
    c.wake();
    CHECK((*c.find("a"))["data"]["k"] == r.after_drift);
    CHECK(c.condition("Applied") == "True");
    auto changed = config_map("a", "2");
    changed["data"]["l"] = "new";
    c.give(prescribe{desired({changed}, 2, false, spec), "hub-1"});
    CHECK((*c.find("a"))["data"]["k"] == r.after_change);
    CHECK((*c.find("a"))["data"]["l"] == "new");
  }
}

TEST_CASE("fields to ignore that cannot be read are told", "[work]") {
  struct row {
    const char* language;
    const char* path;
    const char* message;
  };
  const row rows[] = {
      {"jqPathExpressions", ".data", "jq expressions are not supported by this agent: \".data\""},
      {"jsonPointers", "data", "a JSON pointer must start with a slash: \"data\""},
      {"jsonPaths", ".data[*]", "only names of fields are supported in the JSON path \".data[*]\""},
      {"jsonPaths", "$['data", "only names of fields are supported in the JSON path \"$['data\""},
      {"jsonPaths", "", "nothing is named by the JSON path \"\""},
  };
  for (const auto& r : rows) {
    cluster_bench c;
    const auto spec = applying({{"ignoreFields", {{{"condition", "OnSpokePresent"}, {r.language, {r.path}}}}}});
    c.give(prescribe{desired({config_map("a", "1")}, 1, false, spec), "hub-1"});
    CHECK(object_writes(c).empty());
    const auto status = c.last_report();
    const auto* condition = find_condition(status["resourceStatus"]["manifests"][0]["conditions"], "Applied");
    REQUIRE(condition);
    CHECK((*condition)["reason"] == "AppliedManifestSSAIgnoreFieldError");
    CHECK((*condition)["message"] ==
          std::string("Failed to apply manifest: serverSideApply.ignoreFields: ") + r.message);
  }
}
