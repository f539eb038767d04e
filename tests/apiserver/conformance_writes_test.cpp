#include "conformance.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// A whole Event of events.k8s.io.
document new_event() {
  auto event = named("b");
  event.update({{"eventTime", "2026-01-02T03:04:05.000006Z"},
                {"reportingController", "example.com/c"},
                {"reportingInstance", "c-1"},
                {"action", "Look"},
                {"reason", "Seen"},
                {"type", "Normal"},
                {"note", "seen"},
                {"regarding", {{"kind", "ConfigMap"}, {"name", "x"}, {"namespace", "n"}}}});
  return event;
}

}  // namespace

TEST_CASE("conventions: updates of what is not there, or not seen", "[apiserver][conformance]") {
  check_all({
      {"a PUT makes a Lease or a Role, and no ConfigMap or custom resource",
       [](api_fixture& f) {
         const strings makes = {"/apis/coordination.k8s.io/v1/namespaces/n/leases",
                                "/apis/rbac.authorization.k8s.io/v1/namespaces/n/roles", "/api/v1/namespaces/n/events"};
         for (const auto& kind : makes) {
           INFO(kind);
           auto body = named("a");
           if (kind.ends_with("events")) body["involvedObject"] = {{"kind", "ConfigMap"}, {"namespace", "n"}};
           auto rehearsed = f.put(kind + "/a?dryRun=All", body);
           CHECK(rehearsed.code == 201);
           CHECK(f.get(kind + "/a").code == 404);
           body["metadata"]["resourceVersion"] = "7";
           auto made = f.put(kind + "/a", body);
           CHECK(made.code == 201);
           CHECK_FALSE(uid_of(made.json).empty());
           CHECK(f.get(kind + "/a").code == 200);
         }
         CHECK(f.put(maps + "/a", named("a")).code == 404);
         CHECK(f.put(things + "/a", thing("a")).code == 404);
         CHECK(f.patch(makes[0] + "/none", {{"spec", {{"holderIdentity", "me"}}}}).code == 404);
       }},
      {"who makes an object by PUT needs the right to create, and cannot choose a uid",
       [](api_fixture& f) {
         const std::string lease = "/apis/coordination.k8s.io/v1/namespaces/n/leases/a";
         auto body = named("a");
         body["metadata"]["uid"] = "mine";
         CHECK(f.put(lease, body).code == 409);
         f.access.denies = [](const access_question& q) { return q.verb == "create"; };
         CHECK(f.put(lease, named("a")).code == 403);
         CHECK(f.put("/apis/coordination.k8s.io/v1/namespaces/none/leases/a", named("a")).code == 403);
         f.access.denies = nullptr;
         CHECK(f.put("/apis/coordination.k8s.io/v1/namespaces/none/leases/a", named("a")).code == 404);
       }},
      {"a value of the wrong type is a bad request in Kubernetes' own kinds, and invalid in custom resources",
       [](api_fixture& f) {
         auto number = named("a");
         number["data"] = {{"k", 1}};
         const auto got = f.post(maps, number);
         CHECK(got.code == 400);
         CHECK(got.message() ==
               "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: data.k in body must be of type string: "
               "\"integer\"");
         auto odd = thing("a");
         odd["spec"]["size"] = "big";
         CHECK(f.post(things, odd).code == 422);
         f.post(maps, named("a"));
         CHECK(f.patch(maps + "/a", {{"data", {{"k", 1}}}}).code == 422);
       }},
      {"a number out of bounds is complained about as Kubernetes does",
       [](api_fixture& f) {
         const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
         auto lease = named("a");
         lease["spec"] = {{"leaseDurationSeconds", -1}};
         CHECK(f.post(leases, lease).message() ==
               "Lease.coordination.k8s.io \"a\" is invalid: spec.leaseDurationSeconds: Invalid value: -1: must be "
               "greater than 0");
       }},
      {"an Event lives where the object lives that it tells of",
       [](api_fixture& f) {
         const std::string events = "/api/v1/namespaces/n/events";
         auto event = named("a");
         event["involvedObject"] = {{"kind", "ConfigMap"}, {"name", "x"}, {"namespace", "other"}};
         CHECK(f.post(events, event).message() ==
               "Event \"a\" is invalid: involvedObject.namespace: Invalid value: \"other\": does not match "
               "event.namespace");
         event["involvedObject"].erase("namespace");
         CHECK(f.post(events, event).code == 422);
         f.make_namespace("default");
         CHECK(f.post("/api/v1/namespaces/default/events", event).code == 201);
         event["involvedObject"]["namespace"] = "n";
         CHECK(f.post(events, event).code == 201);
       }},
      {"an Event of the newer group says who did what, when and why",
       [](api_fixture& f) {
         const std::string events = "/apis/events.k8s.io/v1/namespaces/n/events";
         auto event = named("b");
         event["regarding"] = {{"kind", "ConfigMap"}, {"name", "x"}, {"namespace", "n"}};
         strings fields;
         const auto refused = f.post(events, event).json;
         for (const auto& cause : refused["details"]["causes"]) fields.push_back(cause["field"]);
         CHECK(fields == strings{"eventTime", "reportingController", "reportingInstance", "action", "reason", "type"});
         event = new_event();
         event["note"] = std::string(1025, 'x');
         CHECK_THAT(f.post(events, event).message(),
                    Catch::Contains("note: Invalid value") && Catch::Contains("can have at most 1024 characters"));
         event["note"] = "seen";
         CHECK(f.post(events, event).code == 201);
         // Newer recorders keep events where they like, but those of objects without a namespace.
         event["metadata"]["name"] = "elsewhere";
         event["regarding"]["namespace"] = "other";
         CHECK(f.post(events, event).code == 201);
         event["metadata"]["name"] = "of-a-node";
         event["regarding"] = {{"kind", "Node"}, {"name", "x"}};
         CHECK(f.post(events, event).code == 422);
         f.make_namespace("kube-system");
         CHECK(f.post("/apis/events.k8s.io/v1/namespaces/kube-system/events", event).code == 201);
       }},
      {"Events of both groups are the same objects",
       [](api_fixture& f) {
         const std::string newer = "/apis/events.k8s.io/v1/namespaces/n/events", core = "/api/v1/namespaces/n/events";
         auto watching = f.watch(core + "?watch=true");
         const auto event = new_event();
         const auto made = f.post(newer, event).json;
         CHECK(made["apiVersion"] == "events.k8s.io/v1");
         CHECK(made["note"] == "seen");
         const auto read = f.get(core + "/b").json;
         CHECK(read["apiVersion"] == "v1");
         CHECK(read["message"] == "seen");
         CHECK(read["involvedObject"]["name"] == "x");
         CHECK(read["reportingComponent"] == "example.com/c");
         CHECK_FALSE(read.contains("note"));
         CHECK(watching->event_lines() == strings{"ADDED b"});
         CHECK(names(f.get(core + "?fieldSelector=involvedObject.name%3Dx").json) == strings{"b"});
         CHECK(names(f.get(newer + "?fieldSelector=regarding.name%3Dx").json) == strings{"b"});
         CHECK(f.patch(core + "/b", {{"count", 2}}).code == 200);
         auto again = f.get(newer + "/b").json;
         CHECK(again["deprecatedCount"] == 2);
         again["note"] = "seen again";
         CHECK(f.put(newer + "/b", again).code == 200);
         CHECK(f.get(core + "/b").json["message"] == "seen again");
         CHECK(f.del(newer + "/b").code == 200);
         CHECK(f.get(core + "/b").code == 404);
       }},
      {"a Lease is replaced in the version that was read only",
       [](api_fixture& f) {
         const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
         const auto made = f.post(leases, named("a")).json;
         CHECK(f.put(leases + "/a", named("a")).code == 422);
         CHECK(f.put(leases + "/a", made).code == 200);
       }},
      {"a custom resource is replaced in the version that was read, a ConfigMap in any",
       [](api_fixture& f) {
         f.post(things, thing("a"));
         auto unseen = f.put(things + "/a", thing("a", 2));
         CHECK(unseen.code == 422);
         CHECK(unseen.message() ==
               "things.x.io \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an "
               "update");
         CHECK(f.put(things + "/a/status", thing("a")).code == 422);
         CHECK(f.patch(things + "/a", {{"metadata", {{"resourceVersion", nullptr}}}}).code == 422);
         auto seen = f.get(things + "/a").json;
         seen["spec"]["size"] = 2;
         CHECK(f.put(things + "/a", seen).code == 200);
         CHECK(f.put(things + "/a", seen).code == 409);
         f.post(maps, named("a"));
         CHECK(f.put(maps + "/a", named("a")).code == 200);
         auto zero = named("a");
         zero["metadata"]["resourceVersion"] = "0";
         CHECK(f.put(maps + "/a", zero).code == 200);
       }},
      {"a strict patch that leaves unknown fields is invalid, one that is not strict is told of them",
       [](api_fixture& f) {
         f.post(things, thing("a"));
         const document odd = {{"spec", {{"sise", 2}}}};
         const document step = {{"op", "add"}, {"path", "/spec/sise"}, {"value", 2}};
         CHECK(f.patch(things + "/a", odd).headers["Warning"] == "299 - \"unknown field \\\"spec.sise\\\"\"");
         for (const auto& refused :
              {f.patch(things + "/a?fieldValidation=Strict", odd),
               f.patch(things + "/a?fieldValidation=Strict", document::array({step}), json_patch)}) {
           CHECK(refused.code == 422);
           CHECK(refused.json["details"]["causes"][0]["field"] == "patch");
           CHECK_THAT(refused.message(), Catch::StartsWith(" \"\" is invalid: patch: Invalid value: \"{") &&
                                             Catch::EndsWith("strict decoding error: unknown field \"spec.sise\"") &&
                                             Catch::Contains("\\\"sise\\\":2"));
         }
         CHECK(f.patch(things + "/a?fieldValidation=Ignore", odd).headers["Warning"].empty());
       }},
      {"YAML that does not parse is refused with its line",
       [](api_fixture& f) {
         auto got = f.call("POST", maps, "metadata:\n  name: a\ndata: {k: [}\n", {.content_type = "application/yaml"});
         CHECK(got.code == 400);
         CHECK_THAT(got.message(), Catch::Contains("line 3"));
       }},
  });
}

TEST_CASE("conventions: deletions of a part of a collection", "[apiserver][conformance]") {
  check_all({
      {"deletecollection stops at its limit and tells where the rest begins",
       [](api_fixture& f) {
         for (const char* name : {"a", "b", "c", "d", "e"}) f.make_config_map("n", name, {{"odd", "no"}});
         f.make_config_map("n", "f", {{"odd", "yes"}});
         auto first = f.del(maps + "?limit=2&labelSelector=odd%3Dno").json;
         CHECK(names(first) == strings{"a", "b"});
         auto token = first["metadata"].value("continue", "");
         REQUIRE_FALSE(token.empty());
         auto second = f.del(maps + "?limit=2&labelSelector=odd%3Dno&continue=" + token).json;
         CHECK(names(second) == strings{"c", "d"});
         auto last = f.del(maps + "?limit=2&labelSelector=odd%3Dno").json;
         CHECK(names(last) == strings{"e"});
         CHECK_FALSE(last["metadata"].contains("continue"));
         CHECK(names(f.get(maps).json) == strings{"f"});
         CHECK(f.del(maps + "?limit=2&continue=nonsense").code == 400);
       }},
  });
}
