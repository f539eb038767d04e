// Who may scale and who owns the replicas then, and what a definition may say of them.
#include "scale_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

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
