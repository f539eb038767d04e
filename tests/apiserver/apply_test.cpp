// Server-side apply over the API: requests, refusals, conflicts.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string maps = "/api/v1/namespaces/n/configmaps";
const std::string works = "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks";

std::string config_map(const std::string& rest) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" + rest;
}

/// Manager and operation of each entry.
std::vector<std::string> owners(const document& object) {
  std::vector<std::string> out;
  if (const auto* list = find_path(object, {"metadata", "managedFields"}))
    for (const auto& e : *list)
      out.push_back(std::string(string_at(e, {"manager"})) + " " + std::string(string_at(e, {"operation"})));
  return out;
}

}  // namespace

TEST_CASE("an apply makes an object, changes it and sees when nothing changes", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  auto made = f.apply(maps + "/a", "kubectl", config_map("data: {k: v, l: w}"));
  REQUIRE(made.code == 201);
  CHECK(made.json["data"] == document{{"k", "v"}, {"l", "w"}});
  CHECK(uid_of(made.json).size() == 36);
  CHECK(owners(made.json) == std::vector<std::string>{"kubectl Apply"});
  CHECK(f.get(maps + "/a").json == made.json);

  f.timer.advance(std::chrono::seconds(5));
  auto same = f.apply(maps + "/a", "kubectl", R"({"apiVersion":"v1","kind":"ConfigMap","data":{"l":"w","k":"v"}})");
  CHECK(same.code == 200);
  CHECK(same.json == made.json);

  auto less = f.apply(maps + "/a", "kubectl", config_map("data: {k: v}"));
  CHECK(less.code == 200);
  CHECK(less.json["data"] == document{{"k", "v"}});
  CHECK(less.json["metadata"]["managedFields"][0]["time"] == "2026-01-02T03:04:10Z");
  CHECK(less.json["metadata"]["managedFields"][0]["fieldsV1"] == document{{"f:data", {{"f:k", document::object()}}}});
}

TEST_CASE("a conflict is answered as Kubernetes answers it", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.apply(maps + "/a", "one", config_map("data: {k: v, l: w}")).code == 201);
  auto r = f.apply(maps + "/a", "two", config_map("data: {k: x}"));
  CHECK(r.code == 409);
  CHECK(r.reason() == "Conflict");
  CHECK(r.message() == "Apply failed with 1 conflict: conflict with \"one\": .data.k");
  CHECK(r.json["details"] ==
        document{{"causes",
                  {{{"reason", "FieldManagerConflict"}, {"message", "conflict with \"one\""}, {"field", ".data.k"}}}}});
  r = f.apply(maps + "/a", "two", config_map("data: {k: x, l: y}"));
  CHECK(r.message() == "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.k\n- .data.l");
  r = f.apply(maps + "/a", "two", config_map("data: {k: x}"), "&force=true");
  CHECK(r.code == 200);
  CHECK(r.json["data"] == document{{"k", "x"}, {"l", "w"}});
  CHECK(owners(r.json) == std::vector<std::string>{"one Apply", "two Apply"});
  REQUIRE(f.patch(maps + "/a?fieldManager=hand", {{"data", {{"k", "z"}}}}).code == 200);
  CHECK(f.apply(maps + "/a", "two", config_map("data: {k: x}")).message() ==
        "Apply failed with 1 conflict: conflict with \"hand\" using v1: .data.k");
}

TEST_CASE("applies are refused as Kubernetes refuses them", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.apply(maps + "/a", "m", config_map("data: {k: v}")).code == 201);
  struct row {
    const char* convention;
    std::string target;
    std::string body;
    int code;
    std::string message;
  };
  const std::string long_name(129, 'm');
  const auto a = maps + "/a";
  const auto fine = config_map("data: {k: v}");
  const row rows[] = {
      {"a manager is needed", a, fine, 422,
       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"},
      {"of printable letters", a + "?fieldManager=a%0Ab", fine, 422,
       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Invalid value: \"a\\nb\": invalid character U+000A (at "
       "position 1)"},
      {"and not too long", a + "?fieldManager=" + long_name, fine, 422,
       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes"},
      {"the body is YAML", a + "?fieldManager=m", "a: [", 400, "error decoding YAML: "},
      {"one object", a + "?fieldManager=m", "[]", 400, "error decoding YAML: the body must hold exactly one object"},
      {"only one", a + "?fieldManager=m", fine + "\n---\n" + fine, 400,
       "error decoding YAML: the body must hold exactly one object"},
      {"that says what it is", a + "?fieldManager=m", "data: {k: v}", 400, "invalid object type: /, Kind="},
      {"and is what the path says", a + "?fieldManager=m", "{apiVersion: apps/v1, kind: Deployment}", 400,
       "invalid object type: apps/v1, Kind=Deployment"},
      {"owners are the server's", a + "?fieldManager=m",
       "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, managedFields: []}}", 400,
       "metadata.managedFields must be nil"},
      {"fields must be known", a + "?fieldManager=m&fieldValidation=Ignore", config_map("bogus: 1"), 400,
       "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .bogus: field not declared in schema"},
      {"types must fit", a + "?fieldManager=m", config_map("data: {k: 1}"), 400,
       "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.k: expected string, got 1"},
      {"the name is the path's", a + "?fieldManager=m", "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}", 400,
       "the name of the object (b) does not match the name on the URL (a)"},
      {"so it is for new objects", maps + "/b?fieldManager=m", fine, 400,
       "the name of the object (a) does not match the name on the URL (b)"},
      {"a uid names an object that is there", maps + "/b?fieldManager=m",
       "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, uid: u}}", 409,
       "Operation cannot be fulfilled on configmaps \"b\": uid mismatch: the provided object specified uid u, and no "
       "existing object was found"},
      {"and is its own", a + "?fieldManager=m", "{apiVersion: v1, kind: ConfigMap, metadata: {uid: u}}", 409,
       "Operation cannot be fulfilled on configmaps \"a\": Precondition failed: UID in precondition: u, UID in object "
       "meta: "},
      {"a resourceVersion is a lock", a + "?fieldManager=m&force=true",
       "{apiVersion: v1, kind: ConfigMap, metadata: {resourceVersion: \"1\"}, data: {k: w}}", 409,
       "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to "
       "the latest version and try again"},
      {"the namespace must exist", "/api/v1/namespaces/none/configmaps/a?fieldManager=m", fine, 404,
       "namespaces \"none\" not found"},
      {"a status belongs to something", works + "/none/status?fieldManager=m",
       "{apiVersion: work.open-cluster-management.io/v1, kind: ManifestWork}", 404,
       "manifestworks.work.open-cluster-management.io \"none\" not found"},
  };
  for (const auto& r : rows) {
    INFO(r.convention);
    auto answer = f.call("PATCH", r.target, r.body, {.content_type = "application/apply-patch+yaml"});
    CHECK(answer.code == r.code);
    CHECK(answer.message().substr(0, r.message.size()) == r.message);
  }
  CHECK(f.call("PATCH", a + "?fieldManager=m", fine, {.content_type = "application/apply-patch+cbor"}).code == 415);
  auto forced = f.patch(a + "?force=true", document::object());
  CHECK(forced.code == 422);
  CHECK(forced.message() ==
        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch");
}

TEST_CASE("an apply without effect says what it would do", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  CHECK(f.apply(maps + "/a", "m", config_map("data: {k: v}"), "&dryRun=All").code == 201);
  CHECK(f.get(maps + "/a").code == 404);
  CHECK(f.apply("/api/v1/namespaces/none/configmaps/a", "m", config_map(""), "&dryRun=All").code == 404);
  REQUIRE(f.apply(maps + "/a", "m", config_map("data: {k: v}")).code == 201);
  auto r = f.apply(maps + "/a", "m", config_map("data: {k: w}"), "&dryRun=All");
  CHECK(r.code == 200);
  CHECK(r.json["data"]["k"] == "w");
  CHECK(f.get(maps + "/a").json["data"]["k"] == "v");
}

TEST_CASE("a new object needs the right to create, too", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  f.access.denies = [](const access_question& q) { return q.verb == "create"; };
  auto r = f.apply(maps + "/a", "m", config_map(""));
  CHECK(r.code == 403);
  CHECK(r.message() ==
        "configmaps \"a\" is forbidden: User \"admin\" cannot create resource \"configmaps\" in API group \"\" in the "
        "namespace \"n\"");
}

TEST_CASE("a resourceVersion does not keep an apply from making an object", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  CHECK(f.apply(maps + "/a", "m", "{apiVersion: v1, kind: ConfigMap, metadata: {resourceVersion: \"7\"}}").code == 201);
}

TEST_CASE("status and the rest have owners of their own", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  const std::string head = "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\nmetadata: {name: w}\n";
  const std::string spec =
      "spec: {workload: {manifests: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: d}}]}}\n";
  const std::string status =
      "status: {conditions: [{type: Applied, status: 'True', reason: R, message: '',"
      " lastTransitionTime: '2026-01-02T03:04:05Z'}]}\n";
  auto r = f.apply(works + "/w", "user", head + spec + status);
  REQUIRE(r.code == 201);
  CHECK_FALSE(r.json.contains("status"));
  r = f.apply(works + "/w/status", "agent", head + status);
  REQUIRE(r.code == 200);
  CHECK(r.json["status"]["conditions"].size() == 1);
  const auto& entries = r.json["metadata"]["managedFields"];
  REQUIRE(entries.size() == 2);
  CHECK(entries[0]["manager"] == "agent");
  CHECK(entries[0]["subresource"] == "status");
  CHECK(entries[0]["fieldsV1"].contains("f:status"));
  CHECK(entries[1]["manager"] == "user");
  CHECK(entries[1]["fieldsV1"] == document::parse(R"({"f:spec":{"f:workload":{"f:manifests":{}}}})"));
  // An apply of the whole leaves the status and its owner alone.
  r = f.apply(
      works + "/w", "user",
      head + "spec: {workload: {manifests: [{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: d}}]}}\n");
  REQUIRE(r.code == 200);
  CHECK(r.json["status"]["conditions"].size() == 1);
  CHECK(owners(r.json) == std::vector<std::string>{"agent Apply", "user Apply"});
}

TEST_CASE("kinds of users' definitions merge by the lists that they declare", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  const auto crd = parse_yaml(R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.io}
spec:
  group: example.io
  scope: Namespaced
  names: {plural: things, kind: Thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              rules:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, required: [name], properties: {name: {type: string}, port: {type: integer}}}
)");
  REQUIRE(f.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd->front().dump()).code == 201);
  const std::string thing = "/apis/example.io/v1/namespaces/n/things/t";
  const std::string head = "apiVersion: example.io/v1\nkind: Thing\nmetadata: {name: t}\n";
  REQUIRE(f.apply(thing, "one", head + "spec: {rules: [{name: a, port: 1}]}").code == 201);
  auto r = f.apply(thing, "two", head + "spec: {rules: [{name: b, port: 2}]}");
  CHECK(r.json["spec"]["rules"] == document::parse(R"([{"name":"a","port":1},{"name":"b","port":2}])"));
  r = f.apply(thing, "two", head + "spec: {rules: [{name: a, port: 2}]}");
  CHECK(r.message() == "Apply failed with 1 conflict: conflict with \"one\": .spec.rules[name=\"a\"].port");
  CHECK(f.apply(thing, "one", head + "spec: {}").json["spec"]["rules"] ==
        document::parse(R"([{"name":"b","port":2}])"));
  CHECK(
      f.apply(thing, "one", head + "spec: {bogus: 1}").message() ==
      "failed to create typed patch object (/t; example.io/v1, Kind=Thing): .spec.bogus: field not declared in schema");
}
