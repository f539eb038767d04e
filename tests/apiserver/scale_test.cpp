#include <limits>

#include "scale_fixture.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("a Scale shows an object's replicas, and its selector as text", "[apiserver][scale]") {
  cluster f;
  auto object = f.get(deployments + "/web").json;
  auto scale = f.get(deployments + "/web/scale").json;
  CHECK(scale["apiVersion"] == "autoscaling/v1");
  CHECK(scale["kind"] == "Scale");
  document meta;
  for (const char* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
    meta[name] = object["metadata"][name];
  CHECK(scale["metadata"] == meta);
  CHECK(scale["spec"] == document{{"replicas", 1}});
  CHECK(scale["status"] == document{{"replicas", 0}, {"selector", "app=web"}});

  f.patch(pools + "/p/status", {{"status", {{"workers", 1}, {"selector", "x=y"}}}});
  scale = f.get(pools + "/p/scale").json;
  CHECK(scale["spec"] == document{{"replicas", 2}});
  CHECK(scale["status"] == document{{"replicas", 1}, {"selector", "x=y"}});
}

TEST_CASE("kinds say in discovery that they have a scale", "[apiserver][scale]") {
  cluster f;
  for (const auto& [group, name] : std::map<std::string, std::string>{{"/apis/apps/v1", "deployments/scale"},
                                                                      {"/api/v1", "replicationcontrollers/scale"},
                                                                      {"/apis/x.io/v1", "pools/scale"}}) {
    auto list = f.get(group).json["resources"];
    auto row = std::find_if(list.begin(), list.end(), [&](const document& r) { return r["name"] == name; });
    REQUIRE(row != list.end());
    CHECK(*row == document{{"name", name},
                           {"singularName", ""},
                           {"namespaced", true},
                           {"group", "autoscaling"},
                           {"version", "v1"},
                           {"kind", "Scale"},
                           {"verbs", {"get", "patch", "update"}}});
  }
  auto v3 = f.get("/openapi/v3/apis/apps/v1").json;
  const auto& path = v3["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"];
  CHECK(path["get"]["x-kubernetes-group-version-kind"]["kind"] == "Scale");
  CHECK(v3["components"]["schemas"].contains("io.k8s.api.autoscaling.v1.Scale"));
  CHECK(f.get("/apis/apps/v1/namespaces/n/daemonsets/web/scale").code == 404);
}

TEST_CASE("every kind of write sets the replicas, and only them", "[apiserver][scale]") {
  cluster f;
  auto replicas = [&] { return f.get(deployments + "/web").json["spec"]["replicas"]; };
  auto scale = f.get(deployments + "/web/scale").json;
  scale["spec"]["replicas"] = 2;
  scale["metadata"]["labels"] = {{"not", "here"}};
  scale["status"]["replicas"] = 9;
  auto put = f.put(deployments + "/web/scale", scale);
  CHECK(put.code == 200);
  CHECK(put.json["kind"] == "Scale");
  CHECK(put.json["status"]["replicas"] == 0);
  CHECK(replicas() == 2);
  CHECK(f.patch(deployments + "/web/scale", set_to(3)).json["spec"]["replicas"] == 3);
  CHECK(f.patch(deployments + "/web/scale", set_to(4), strategic).json["spec"]["replicas"] == 4);
  document step = {{"op", "replace"}, {"path", "/spec/replicas"}, {"value", 5}};
  CHECK(f.patch(deployments + "/web/scale", document::array({step}), json_patch).json["spec"]["replicas"] == 5);
  auto object = f.get(deployments + "/web").json;
  CHECK(object["spec"]["replicas"] == 5);
  CHECK(object["metadata"]["generation"] == 5);
  CHECK_FALSE(object["metadata"].contains("labels"));
  CHECK_FALSE(object["status"].contains("replicas"));

  CHECK(f.patch(pools + "/p/scale", set_to(7)).json["spec"]["replicas"] == 7);
  CHECK(f.get(pools + "/p").json["spec"]["workers"]["wanted"] == 7);
  CHECK(f.get(pools + "/p").json["metadata"]["generation"] == 2);
  CHECK(f.patch(pools + "/p/scale", set_to(8), strategic).code == 415);
  CHECK(f.patch(pools + "/p/scale", set_to(0)).json["spec"] == document::object());
  CHECK(f.get(pools + "/p").json["spec"]["workers"]["wanted"] == 0);
  for (const char* method : {"DELETE", "POST"}) CHECK(f.call(method, deployments + "/web/scale", "{}").code == 405);
  CHECK(f.get(deployments + "/none/scale").code == 404);
  CHECK(f.patch(deployments + "/none/scale", set_to(1)).code == 404);
}

TEST_CASE("a rehearsed scaling changes nothing, one to the same number neither", "[apiserver][scale]") {
  cluster f;
  auto before = f.get(deployments + "/web").json;
  auto dry = f.patch(deployments + "/web/scale?dryRun=All", set_to(3));
  CHECK(dry.code == 200);
  CHECK(dry.json["spec"]["replicas"] == 3);
  CHECK(f.get(deployments + "/web").json == before);
  CHECK(f.patch(deployments + "/web/scale", set_to(1)).code == 200);
  CHECK(f.get(deployments + "/web").json == before);
}

TEST_CASE("a Scale that is none is refused in Kubernetes' words", "[apiserver][scale]") {
  cluster f;
  auto negative = f.patch(deployments + "/web/scale", set_to(-1));
  CHECK(negative.code == 422);
  CHECK(negative.message() ==
        "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0");
  CHECK(f.patch(deployments + "/web/scale", set_to(std::numeric_limits<int>::min())).code == 422);
  negative = f.patch(pools + "/p/scale", set_to(-1));
  CHECK(negative.code == 422);
  CHECK(negative.message() ==
        "Pool.x.io \"p\" is invalid: .spec.workers.wanted: Invalid value: -1: should be a non-negative integer");
  CHECK(f.patch(deployments + "/web/scale", {{"spec", {{"replicas", "many"}}}}).code == 422);
  CHECK(f.patch(deployments + "/web/scale", {{"spec", {{"replicas", 3000000000}}}}).code == 422);
  CHECK(f.put(deployments + "/web/scale", deployment("web")).code == 200);  // says neither kind nor version
  auto other = deployment("web");
  other["apiVersion"] = "apps/v1";
  other["kind"] = "Deployment";
  CHECK(f.put(deployments + "/web/scale", other).code == 400);
  auto unknown = set_to(2);
  unknown["spec"]["replicsa"] = 2;
  CHECK(f.patch(deployments + "/web/scale", unknown).headers["Warning"] ==
        "299 - \"unknown field \\\"spec.replicsa\\\"\"");
  auto strict = f.patch(deployments + "/web/scale?fieldValidation=Strict", unknown);
  CHECK(strict.code == 422);
  CHECK_THAT(strict.message(), Catch::Contains("unknown field \"spec.replicsa\""));
}

TEST_CASE("a Scale's version, uid and name are locks", "[apiserver][scale]") {
  cluster f;
  for (const auto& at : {deployments + "/web", pools + "/p"}) {
    auto scale = f.get(at + "/scale").json;
    auto stale = scale;
    f.patch(at, {{"metadata", {{"labels", {{"a", "b"}}}}}});
    stale["spec"]["replicas"] = 6;
    auto late = f.put(at + "/scale", stale);
    CHECK(late.code == 409);
    CHECK(late.reason() == "Conflict");
    auto stranger = set_to(6);
    stranger["metadata"]["uid"] = "somebody-elses";
    CHECK(f.patch(at + "/scale", stranger).code == 409);
    CHECK(f.patch(at + "/scale", {{"metadata", {{"name", "other"}}}}).code == 400);
    stale["metadata"].erase("resourceVersion");
    CHECK(f.put(at + "/scale", stale).json["spec"]["replicas"] == 6);
  }
}

TEST_CASE("a custom resource that says nothing of replicas has no Scale until it is given some", "[apiserver][scale]") {
  cluster f;
  REQUIRE(f.post(pools, pool("bare", {{"other", 1}})).code == 201);
  auto got = f.get(pools + "/bare/scale");
  CHECK(got.code == 500);
  CHECK(got.reason() == "InternalError");
  CHECK(got.message() == "Internal error occurred: the spec replicas field \".spec.workers.wanted\" does not exist");
  auto idle = f.patch(pools + "/bare/scale", {{"status", {{"replicas", 1}}}});
  CHECK(idle.code == 400);
  CHECK(idle.message() == "the spec replicas field \".spec.workers.wanted\" cannot be empty");
  CHECK(f.patch(pools + "/bare/scale", set_to(3)).json["spec"]["replicas"] == 3);
  CHECK(f.get(pools + "/bare").json["spec"] == document{{"other", 1}, {"workers", {{"wanted", 3}}}});

  // Values that only a change of the definition can leave behind.
  REQUIRE(f.post(pools, pool("odd", {{"workers", "few"}})).code == 422);
  f.post(pools, pool("odd", {{"elsewhere", "few"}}));
  auto moved = f.get(crds + "/pools.x.io").json;
  moved["spec"]["versions"][0]["subresources"]["scale"]["specReplicasPath"] = ".spec.elsewhere";
  REQUIRE(f.put(crds + "/pools.x.io", moved).code == 200);
  got = f.get(pools + "/odd/scale");
  CHECK(got.code == 500);
  CHECK_THAT(got.message(),
             Catch::Contains(".spec.elsewhere accessor error: few is of the type string, expected int64"));
}

TEST_CASE("a Scale is shown as a table", "[apiserver][scale]") {
  cluster f;
  auto table = f.get(pools + "/p/scale", as_table).json;
  CHECK(table["kind"] == "Table");
  std::vector<std::string> columns;
  for (const auto& c : table["columnDefinitions"]) columns.push_back(c["name"]);
  CHECK(columns == std::vector<std::string>{"Name", "Desired", "Available", "Age"});
  auto cells = table["rows"][0]["cells"];
  cells.erase(3);
  CHECK(cells == document::array({"p", 2, 0}));
}
