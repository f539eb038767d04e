#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string deployments = "/apis/apps/v1/namespaces/n/deployments";
const std::string pools = "/apis/x.io/v1/namespaces/n/pools";
constexpr const char* json_patch = "application/json-patch+json";
constexpr const char* strategic = "application/strategic-merge-patch+json";
constexpr const char* as_table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

document deployment(const std::string& name, int replicas = 1) {
  document labels = {{"app", name}};
  document pod = {{"metadata", {{"labels", labels}}},
                  {"spec", {{"containers", {{{"name", "c"}, {"image", "nginx:1"}}}}}}};
  return {{"metadata", {{"name", name}}},
          {"spec", {{"replicas", replicas}, {"selector", {{"matchLabels", labels}}}, {"template", pod}}}};
}

/// A kind whose replicas are where nobody would look for them.
document pool_definition(const document& scale = {{"specReplicasPath", ".spec.workers.wanted"},
                                                  {"statusReplicasPath", ".status.workers"},
                                                  {"labelSelectorPath", ".status.selector"}}) {
  document any = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  document version = {
      {"name", "v1"},
      {"served", true},
      {"storage", true},
      {"schema", {{"openAPIV3Schema", {{"type", "object"}, {"properties", {{"spec", any}, {"status", any}}}}}}},
      {"subresources", {{"status", document::object()}, {"scale", scale}}}};
  return {{"metadata", {{"name", "pools.x.io"}}},
          {"spec",
           {{"group", "x.io"},
            {"scope", "Namespaced"},
            {"names", {{"plural", "pools"}, {"kind", "Pool"}}},
            {"versions", {version}}}}};
}

document pool(const std::string& name, const document& spec) {
  return {{"apiVersion", "x.io/v1"}, {"kind", "Pool"}, {"metadata", {{"name", name}}}, {"spec", spec}};
}

document set_to(int replicas) { return {{"spec", {{"replicas", replicas}}}}; }

struct cluster : api_fixture {
  cluster() : api_fixture(kind_set::cluster) {
    make_namespace("n");
    REQUIRE(post(crds, pool_definition()).code == 201);
    REQUIRE(post(deployments, deployment("web")).code == 201);
    REQUIRE(post(pools, pool("p", {{"workers", {{"wanted", 2}}}})).code == 201);
  }
};

/// The owners of an object as `manager operation subresource`.
std::vector<std::string> owners(const document& object) {
  std::vector<std::string> out;
  for (const auto& entry : object["metadata"]["managedFields"])
    out.push_back(entry.value("manager", "") + " " + entry.value("operation", "") + " " +
                  entry.value("subresource", ""));
  return out;
}

/// What a manager owns through the scale subresource.
document owned_by_scale(const document& object, const std::string& manager) {
  for (const auto& entry : object["metadata"]["managedFields"])
    if (entry.value("manager", "") == manager && entry.value("subresource", "") == "scale") return entry["fieldsV1"];
  return nullptr;
}

}  // namespace

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
  CHECK(v3["components"]["schemas"].contains("autoscaling.v1.Scale"));
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
  CHECK(strict.code == 400);
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

TEST_CASE("who scales owns the replicas, through the scale subresource", "[apiserver][scale]") {
  cluster f;
  for (const auto& at : {deployments + "/web", pools + "/p"}) {
    auto before = owners(f.get(at).json).size();
    CHECK(f.patch(at + "/scale?fieldManager=scaler", set_to(3)).code == 200);
    auto object = f.get(at).json;
    CHECK(owners(object).size() == before + 1);
    auto fields = owned_by_scale(object, "scaler");
    CHECK(fields == (at == deployments + "/web"
                         ? document{{"f:spec", {{"f:replicas", document::object()}}}}
                         : document{{"f:spec", {{"f:workers", {{"f:wanted", document::object()}}}}}}));
    CHECK_FALSE(f.get(at + "/scale").json["metadata"].contains("managedFields"));
    // To the same number: nothing is written and nobody becomes an owner.
    f.patch(at + "/scale?fieldManager=other", set_to(3));
    CHECK(f.get(at).json == object);
  }
}

TEST_CASE("a Scale can be applied, with conflicts and force", "[apiserver][scale][apply]") {
  cluster f;
  const std::string yaml = "{apiVersion: autoscaling/v1, kind: Scale, metadata: {name: web}, spec: {replicas: 4}}";
  f.patch(deployments + "/web/scale?fieldManager=scaler", set_to(3));
  auto refused = f.apply(deployments + "/web/scale", "tuner", yaml);
  CHECK(refused.code == 409);
  CHECK(refused.message() ==
        "Apply failed with 1 conflict: conflict with \"scaler\" with subresource \"scale\" using autoscaling/v1: "
        ".spec.replicas");
  auto forced = f.apply(deployments + "/web/scale", "tuner", yaml, "&force=true");
  CHECK(forced.code == 200);
  CHECK(forced.json["spec"]["replicas"] == 4);
  auto object = f.get(deployments + "/web").json;
  CHECK(object["spec"]["replicas"] == 4);
  CHECK(owned_by_scale(object, "scaler") == nullptr);
  CHECK(owned_by_scale(object, "tuner") == document{{"f:spec", {{"f:replicas", document::object()}}}});
  CHECK(f.apply(deployments + "/web/scale", "tuner", yaml).code == 200);
  CHECK(f.get(deployments + "/web").json == object);
  auto of_object = deployment("web", 9);
  of_object["apiVersion"] = "apps/v1";
  of_object["kind"] = "Deployment";
  CHECK(f.apply(deployments + "/web", "owner", of_object.dump()).code == 409);
  CHECK(f.apply(deployments + "/web/scale", "tuner", of_object.dump()).code == 400);
  CHECK(f.apply(deployments + "/none/scale", "tuner", yaml).code == 404);
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

TEST_CASE("scaling is a permission of its own", "[apiserver][scale]") {
  cluster f;
  f.access.denies = [](const access_question& q) { return q.user.name == "eve" && q.subresource != "scale"; };
  const extras eve{.content_type = "application/merge-patch+json", .user = {"eve"}};
  CHECK(f.call("PATCH", deployments + "/web", set_to(2).dump(), eve).code == 403);
  CHECK(f.call("PATCH", deployments + "/web/scale", set_to(2).dump(), eve).code == 200);
  f.access.denies = [](const access_question& q) { return q.user.name == "eve" && q.subresource == "scale"; };
  auto denied = f.call("PATCH", deployments + "/web/scale", set_to(2).dump(), eve);
  CHECK(denied.code == 403);
  CHECK_THAT(denied.message(), Catch::Contains("cannot patch resource \"deployments/scale\" in API group \"apps\""));
}

TEST_CASE("a definition's scale names paths of members under spec and status", "[apiserver][scale][crd]") {
  api_fixture f;
  const std::string at = "spec.versions[0].subresources.scale.";
  struct row {
    document scale;
    std::string complaint;
  };
  const std::vector<row> rows = {
      {{{"statusReplicasPath", ".status.r"}}, at + "specReplicasPath: Required value"},
      {{{"specReplicasPath", ".spec.r"}}, at + "statusReplicasPath: Required value"},
      {{{"specReplicasPath", "spec.r"}, {"statusReplicasPath", ".status.r"}},
       at + "specReplicasPath: Invalid value: \"spec.r\": must be a simple json path starting with ."},
      {{{"specReplicasPath", ".status.r"}, {"statusReplicasPath", ".status.r"}},
       at + "specReplicasPath: Invalid value: \".status.r\": should be a json path under .spec"},
      {{{"specReplicasPath", ".spec.r"}, {"statusReplicasPath", ".spec.r"}},
       at + "statusReplicasPath: Invalid value: \".spec.r\": should be a json path under .status"},
      {{{"specReplicasPath", ".spec.r[0]"}, {"statusReplicasPath", ".status.r"}},
       at + "specReplicasPath: Invalid value: \".spec.r[0]\": must be a json path in the dot notation"},
      {{{"specReplicasPath", ".spec.r"}, {"statusReplicasPath", ".status.r"}, {"labelSelectorPath", ".metadata.s"}},
       at + "labelSelectorPath: Invalid value: \".metadata.s\": should be a json path under either .spec or .status"},
  };
  for (const auto& r : rows) {
    auto got = f.post(crds, pool_definition(r.scale));
    INFO(r.complaint);
    CHECK(got.code == 422);
    CHECK(got.message() == "CustomResourceDefinition.apiextensions.k8s.io \"pools.x.io\" is invalid: " + r.complaint);
  }
  CHECK(f.post(crds, pool_definition()).code == 201);
}

TEST_CASE("a custom resource's replicas are checked by every write", "[apiserver][scale][crd]") {
  cluster f;
  auto negative = f.post(pools, pool("q", {{"workers", {{"wanted", -2}}}}));
  CHECK(negative.code == 422);
  CHECK_THAT(negative.message(),
             Catch::Contains(".spec.workers.wanted: Invalid value: -2: should be a non-negative integer"));
  CHECK_THAT(f.patch(pools + "/p", {{"spec", {{"workers", {{"wanted", 2147483648}}}}}}).message(),
             Catch::Contains("should be less than or equal to 2147483647"));
  CHECK(f.patch(pools + "/p/status", {{"status", {{"workers", -1}}}}).code == 422);
  CHECK(f.patch(pools + "/p/status", {{"status", {{"selector", 3}}}}).code == 422);
}
