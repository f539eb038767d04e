#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* maps = "/api/v1/namespaces/n/configmaps";
constexpr const char* works = "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks";
constexpr const char* strategic = "application/strategic-merge-patch+json";

}  // namespace

TEST_CASE("a create answers 201 with what the server set", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto r = f.post(
      maps, {{"metadata", {{"name", "a"}, {"uid", "mine"}, {"creationTimestamp", nullptr}}}, {"data", {{"k", "v"}}}});
  REQUIRE(r.code == 201);
  CHECK(kind_of(r.json) == "ConfigMap");
  CHECK(api_version(r.json) == "v1");
  CHECK(namespace_of(r.json) == "n");
  CHECK(uid_of(r.json) != "mine");
  CHECK(uid_of(r.json).size() == 36);
  CHECK(string_at(r.json, {"metadata", "creationTimestamp"}) == "2026-01-02T03:04:05Z");
  CHECK(string_at(r.json, {"metadata", "resourceVersion"}) == "2");
  CHECK(f.get(std::string(maps) + "/a").json == r.json);
}

TEST_CASE("creates are refused as Kubernetes refuses them", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.make_config_map("n", "taken").code == 201);
  struct row {
    const char* convention;
    const char* target;
    document body;
    int code;
    const char* reason;
    const char* message;
  };
  const row rows[] = {
      {"the name is taken",
       maps,
       {{"metadata", {{"name", "taken"}}}},
       409,
       "AlreadyExists",
       "configmaps \"taken\" already exists"},
      {"the namespace must exist",
       "/api/v1/namespaces/none/configmaps",
       {{"metadata", {{"name", "a"}}}},
       404,
       "NotFound",
       "namespaces \"none\" not found"},
      {"body and path name one namespace",
       maps,
       {{"metadata", {{"name", "a"}, {"namespace", "m"}}}},
       400,
       "BadRequest",
       "the namespace of the provided object does not match the namespace sent on the request"},
      {"the kind must be the path's",
       maps,
       {{"kind", "Secret"}, {"metadata", {{"name", "a"}}}},
       400,
       "BadRequest",
       "the kind in the data (Secret) does not match the expected kind (ConfigMap)"},
      {"so must the version",
       maps,
       {{"apiVersion", "v2"}, {"metadata", {{"name", "a"}}}},
       400,
       "BadRequest",
       "the API version in the data (v2) does not match the expected API version (v1)"},
      {"no resourceVersion on create",
       maps,
       {{"metadata", {{"name", "a"}, {"resourceVersion", "1"}}}},
       400,
       "BadRequest",
       "resourceVersion should not be set on objects to be created"},
      {"wrongly typed metadata does not decode",
       maps,
       {{"metadata", {{"name", "a"}, {"labels", {{"x", 1}}}}}},
       400,
       "BadRequest",
       "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: metadata.labels: must be a map of strings"},
      {"a name or generateName",
       maps,
       {{"data", {{"k", "v"}}}},
       422,
       "Invalid",
       "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required"},
      {"not an object", maps, document::array(), 400, "BadRequest", "the body of the request must be an object"},
      {"unknown resource", "/api/v1/namespaces/n/things", document::object(), 404, "NotFound",
       "the server could not find the requested resource"},
      {"cluster-scoped kinds have no namespaced path", "/api/v1/namespaces/n/namespaces", document::object(), 404,
       "NotFound", "the server could not find the requested resource"},
      {"a namespaced kind is created in a namespace",
       "/api/v1/configmaps",
       {{"metadata", {{"name", "a"}}}},
       405,
       "MethodNotAllowed",
       "the server does not allow this method on the requested resource"},
  };
  for (const auto& r : rows) {
    INFO(r.convention);
    auto got = f.post(r.target, r.body);
    CHECK(got.code == r.code);
    CHECK(got.reason() == r.reason);
    CHECK(got.message() == r.message);
    CHECK(kind_of(got.json) == "Status");
    CHECK(string_at(got.json, {"status"}) == "Failure");
  }
}

TEST_CASE("an invalid object is 422 with a cause for each field", "[apiserver]") {
  api_fixture f;
  auto r = f.post("/apis/cluster.open-cluster-management.io/v1/managedclusters",
                  {{"metadata", {{"name", "c1"}}}, {"spec", {{"taints", {{{"key", "a"}, {"effect", "Sometimes"}}}}}}});
  REQUIRE(r.code == 422);
  CHECK_THAT(
      r.message(),
      Catch::StartsWith(
          "ManagedCluster.cluster.open-cluster-management.io \"c1\" is invalid: spec.taints[0].effect: Unsupported value: \"Sometimes\""));
  const auto& details = r.json["details"];
  CHECK(details["kind"] == "ManagedCluster");
  CHECK(details["group"] == "cluster.open-cluster-management.io");
  CHECK(details["causes"][0]["reason"] == "FieldValueNotSupported");
  CHECK(details["causes"][0]["field"] == "spec.taints[0].effect");
  CHECK_THAT(details["causes"][0]["message"].get<std::string>(), Catch::StartsWith("Unsupported value: \"Sometimes\""));
}

TEST_CASE("generateName makes a free name", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.post(maps, {{"metadata", {{"generateName", "x-"}}}});
  auto b = f.post(maps, {{"metadata", {{"generateName", "x-"}}}});
  REQUIRE(a.code == 201);
  REQUIRE(b.code == 201);
  CHECK_THAT(std::string(name_of(a.json)), Catch::StartsWith("x-"));
  CHECK(name_of(a.json).size() == 7);
  CHECK(name_of(a.json) != name_of(b.json));
}

TEST_CASE("an update needs the newest version only if it names one", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto first = f.make_config_map("n", "a").json;
  auto second = first;
  second["data"]["k"] = "w";
  auto r = f.put(std::string(maps) + "/a", second);
  REQUIRE(r.code == 200);
  CHECK(string_at(r.json, {"metadata", "resourceVersion"}) == "3");

  auto stale = f.put(std::string(maps) + "/a", second);
  CHECK(stale.code == 409);
  CHECK(stale.reason() == "Conflict");
  CHECK(
      stale.message() ==
      "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again");

  second["metadata"].erase("resourceVersion");
  second["data"]["k"] = "x";
  CHECK(f.put(std::string(maps) + "/a", second).code == 200);
  CHECK(f.put(std::string(maps) + "/b", second).code == 400);
  second["metadata"].erase("name");
  CHECK(f.put(std::string(maps) + "/b", second).code == 404);
}

TEST_CASE("an update that changes nothing writes nothing", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.make_config_map("n", "a").json;
  auto r = f.put(std::string(maps) + "/a", a);
  CHECK(r.code == 200);
  CHECK(r.json == a);
  CHECK(f.data->window().current == revision(2));
}

TEST_CASE("what the server owns in metadata cannot be changed", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.make_config_map("n", "a").json;
  auto with = [&](const char* field, const document& value) {
    auto d = a;
    d["metadata"][field] = value;
    return f.put(std::string(maps) + "/a", d);
  };
  CHECK(
      with("creationTimestamp", "2020-01-01T00:00:00Z").message() ==
      "ConfigMap \"a\" is invalid: metadata.creationTimestamp: Invalid value: \"2020-01-01T00:00:00Z\": field is immutable");
  CHECK(with("deletionTimestamp", "2020-01-01T00:00:00Z").code == 422);
  CHECK(with("uid", "other").code == 409);
  CHECK(with("name", "b").code == 400);
  CHECK(with("namespace", "m").code == 400);
  CHECK(with("generation", 7).code == 200);
  CHECK_FALSE(f.get(std::string(maps) + "/a").json["metadata"].contains("generation"));
}

TEST_CASE("times in another spelling of UTC are the same times", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.make_config_map("n", "a").json;
  auto spelled = a["metadata"]["creationTimestamp"].get<std::string>();
  spelled.replace(spelled.size() - 1, 1, "+00:00");
  auto b = a;
  b["metadata"]["creationTimestamp"] = spelled;
  CHECK(f.put(std::string(maps) + "/a", b).json == a);
  document lease = {{"metadata", {{"name", "l"}}}, {"spec", {{"renewTime", "2026-01-02T04:04:05.678901+01:00"}}}};
  auto made = f.post("/apis/coordination.k8s.io/v1/namespaces/n/leases", lease);
  CHECK(made.json["spec"]["renewTime"] == "2026-01-02T03:04:05.678901Z");
  lease["metadata"]["name"] = "wrong";
  lease["spec"]["renewTime"] = "yesterday";
  CHECK(f.post("/apis/coordination.k8s.io/v1/namespaces/n/leases", lease).code == 400);
}

TEST_CASE("generation counts changes of the spec alone", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.post(works, manifest_work("w")).code == 201);
  auto target = std::string(works) + "/w";
  auto generation = [&] { return generation_of(f.get(target).json).get(); };
  CHECK(generation() == 1);
  f.patch(target, {{"metadata", {{"labels", {{"a", "b"}}}}}});
  CHECK(generation() == 1);
  f.patch(target, {{"spec", {{"deleteOption", {{"propagationPolicy", "Orphan"}}}}}});
  CHECK(generation() == 2);
  f.patch(target + "/status", {{"status",
                                {{"conditions",
                                  {{{"type", "Applied"},
                                    {"status", "True"},
                                    {"reason", "R"},
                                    {"message", ""},
                                    {"lastTransitionTime", "2026-01-01T00:00:00Z"}}}}}}});
  CHECK(generation() == 2);
}

TEST_CASE("the status subresource and the main resource do not write each other's part", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto doc = manifest_work("w");
  doc["status"] = {{"conditions", document::array()}};
  auto created = f.post(works, doc);
  REQUIRE(created.code == 201);
  CHECK_FALSE(created.json.contains("status"));
  auto target = std::string(works) + "/w";

  auto next = created.json;
  next["status"]["conditions"] = {{{"type", "Applied"},
                                   {"status", "True"},
                                   {"reason", "R"},
                                   {"message", ""},
                                   {"lastTransitionTime", "2026-01-01T00:00:00Z"}}};
  next["metadata"]["labels"] = {{"x", "y"}};
  next["spec"]["deleteOption"] = {{"propagationPolicy", "Orphan"}};
  auto status = f.put(target + "/status", next);
  REQUIRE(status.code == 200);
  CHECK(condition_status(status.json, "Applied") == "True");
  CHECK_FALSE(status.json["metadata"].contains("labels"));
  CHECK(status.json["spec"] == created.json["spec"]);

  auto main = f.patch(target, {{"status", nullptr}, {"metadata", {{"labels", {{"x", "y"}}}}}});
  CHECK(condition_status(main.json, "Applied") == "True");
  CHECK(label_of(main.json, "x") == "y");
  CHECK(f.get(target + "/status").json == main.json);
  CHECK(f.put(target + "/status", created.json).code == 409);
  CHECK(f.get(std::string(maps) + "/x/status").code == 404);
}

TEST_CASE("unknown fields are dropped, warned about or refused as asked", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  document body = {{"metadata", {{"name", "a"}, {"nmae", "x"}}}, {"datum", 1}};
  auto warned = f.post(maps, body);
  CHECK(warned.code == 201);
  CHECK(warned.headers["Warning"] == R"(299 - "unknown field \"metadata.nmae\"", 299 - "unknown field \"datum\"")");
  CHECK_FALSE(warned.json.contains("datum"));
  auto strict = f.post(std::string(maps) + "?fieldValidation=Strict", body);
  CHECK(strict.code == 400);
  CHECK(
      strict.message() ==
      R"(ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.nmae", unknown field "datum")");
  body["metadata"]["name"] = "b";
  CHECK_FALSE(f.post(std::string(maps) + "?fieldValidation=Ignore", body).headers.contains("Warning"));
  CHECK(f.post(std::string(maps) + "?fieldValidation=Perhaps", body).code == 400);
}

TEST_CASE("a dry run answers as the write would and leaves no trace", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  auto before = f.data->window().current;
  CHECK(f.post(std::string(maps) + "?dryRun=All", {{"metadata", {{"name", "b"}}}}).code == 201);
  CHECK(f.post(std::string(maps) + "?dryRun=All", {{"metadata", {{"name", "a"}}}}).code == 409);
  CHECK(f.post("/api/v1/namespaces/m/configmaps?dryRun=All", {{"metadata", {{"name", "a"}}}}).code == 404);
  CHECK(f.patch(std::string(maps) + "/a?dryRun=All", {{"data", {{"k", "z"}}}}).json["data"]["k"] == "z");
  CHECK(f.del(std::string(maps) + "/a?dryRun=All").code == 200);
  CHECK(f.del(std::string(maps) + "/a", {{"dryRun", {"All"}}}).code == 200);
  CHECK(f.post(std::string(maps) + "?dryRun=Some", document::object()).code == 400);
  CHECK(f.data->window().current == before);
}

TEST_CASE("patches of each kind", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  auto target = std::string(maps) + "/a";
  CHECK(f.patch(target, {{"data", {{"x", "y"}, {"k", nullptr}}}}).json["data"] == document({{"x", "y"}}));
  CHECK(f.patch(target, {{{"op", "add"}, {"path", "/data/z"}, {"value", "1"}}}, "application/json-patch+json")
            .json["data"]["z"] == "1");
  CHECK(f.patch(target, {{"data", {{"z", "2"}}}}, strategic).json["data"]["z"] == "2");
  auto failed = f.patch(target, {{{"op", "test"}, {"path", "/data/z"}, {"value", "1"}}}, "application/json-patch+json");
  CHECK(failed.code == 422);
  CHECK(f.patch(target, {{"metadata", {{"resourceVersion", "1"}}}}).code == 409);
  CHECK(f.patch(target, {{"kind", "Secret"}}).code == 400);
  CHECK(f.patch(target, document::array(), "application/merge-patch+json").code == 400);
  CHECK(f.patch(target, document::object(), "application/json").code == 415);
  CHECK(f.patch(target, document::object(), "application/apply-patch+cbor").code == 415);
  CHECK(f.patch(std::string(maps) + "/none", document::object()).code == 404);
}

namespace {

/// A gate before which somebody else wins the next `races` races.
class racing_gate : public write_gate {
 public:
  explicit racing_gate(write_gate& inner) : inner_(inner) {}
  void submit(write_proposal p, completion done) override {
    ++submitted;
    if (races-- > 0) return done(fail(errc::conflict, "lost"));
    inner_.submit(std::move(p), std::move(done));
  }
  int submitted = 0;
  int races = 0;

 private:
  write_gate& inner_;
};

}  // namespace

TEST_CASE("a patch that lost a race is computed again, five times at most", "[apiserver]") {
  for (int races : {4, 5}) {
    std::unique_ptr<racing_gate> gate;
    api_fixture f(kind_set::hub, [&](api_options& o) {
      gate = std::make_unique<racing_gate>(*o.gate);
      o.gate = gate.get();
    });
    f.make_namespace("n");
    f.make_config_map("n", "a");
    gate->submitted = 0;
    gate->races = races;
    auto r = f.patch(std::string(maps) + "/a", {{"data", {{"k", "z"}}}});
    CHECK(r.code == (races == 4 ? 200 : 409));
    CHECK(gate->submitted == 5);
  }
}

TEST_CASE("patches cannot make an object larger than a body may be, and a large one may shrink", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  const std::string path = std::string(maps) + "/a";
  auto labels = document::object();
  for (int i = 0; i < 50'000; ++i) labels["k" + std::to_string(i)] = "";
  REQUIRE(f.post(maps, {{"metadata", {{"name", "a"}}}}).code == 201);
  auto r = f.patch(path, {{"metadata", {{"labels", labels}}}});
  for (int round = 0; r.code == 200 && round < 20; ++round) {
    auto more = document::object();
    for (int i = 0; i < 50'000; ++i) more["r" + std::to_string(round) + "-" + std::to_string(i)] = "";
    r = f.patch(path, {{"metadata", {{"labels", more}}}});
  }
  CHECK(r.code == 413);
  CHECK(r.json["reason"] == "RequestEntityTooLarge");
  CHECK(r.json["message"].get<std::string>().starts_with("Request entity too large: the object would have "));
  CHECK(f.get(path).code == 200);
  CHECK(f.patch(path, {{"metadata", {{"labels", nullptr}}}}).code == 200);
}
