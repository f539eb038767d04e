// One object in several versions with different shapes, through every way in and out of the server.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string base = "/apis/addon.open-cluster-management.io/";
const std::string alpha_types = base + "v1alpha1/clustermanagementaddons";
const std::string beta_types = base + "v1beta1/clustermanagementaddons";
const std::string alpha_addons = base + "v1alpha1/namespaces/n/managedclusteraddons";
const std::string beta_addons = base + "v1beta1/namespaces/n/managedclusteraddons";
constexpr const char* install_namespace = "addon.open-cluster-management.io/v1alpha1-install-namespace";

document in(const char* version, const char* kind, const char* rest) {
  auto out = document::parse(rest);
  out["apiVersion"] = std::string("addon.open-cluster-management.io/") + version;
  out["kind"] = kind;
  out["metadata"]["name"] = "a";
  return out;
}

document beta_type() {
  return in("v1beta1", "ClusterManagementAddOn",
            R"({"spec":{"defaultConfigs":[{"group":"g","resource":"r","namespace":"n","name":"c"},
    {"group":"g","resource":"s","name":"__reserved_no_default__"}]}})");
}

const document alpha_configs = document::parse(
    R"([{"group":"g","resource":"r","defaultConfig":{"namespace":"n","name":"c"}},{"group":"g","resource":"s"}])");

}  // namespace

TEST_CASE("an object made in one version is there in the other", "[apiserver][versions]") {
  api_fixture f;
  const auto made = f.post(beta_types, beta_type());
  REQUIRE(made.code == 201);
  CHECK(made.json["apiVersion"] == "addon.open-cluster-management.io/v1beta1");
  CHECK(made.json["spec"]["defaultConfigs"] == beta_type()["spec"]["defaultConfigs"]);
  CHECK(made.json["spec"]["installStrategy"]["type"] == "Manual");
  const auto alpha = f.get(alpha_types + "/a");
  CHECK(alpha.json["apiVersion"] == "addon.open-cluster-management.io/v1alpha1");
  CHECK(alpha.json["spec"]["supportedConfigs"] == alpha_configs);
  CHECK_FALSE(alpha.json["spec"].contains("defaultConfigs"));
  CHECK(f.get(beta_types + "/a").json == made.json);

  const auto lists = f.get(alpha_types), beta_lists = f.get(beta_types + "?labelSelector=!x");
  CHECK(lists.json["apiVersion"] == "addon.open-cluster-management.io/v1alpha1");
  CHECK(lists.json["items"][0]["spec"]["supportedConfigs"] == alpha_configs);
  CHECK(beta_lists.json["items"][0] == made.json);
  CHECK(f.put(beta_types + "/a", made.json).json == made.json);
  CHECK(f.put(alpha_types + "/a", alpha.json).json == alpha.json);
}

TEST_CASE("writes and watches go through either version", "[apiserver][versions]") {
  api_fixture f;
  auto alpha_watch = f.watch(alpha_types + "?watch=1"), beta_watch = f.watch(beta_types + "?watch=1");
  REQUIRE(f.post(beta_types, beta_type()).code == 201);
  const auto patched =
      f.patch(alpha_types + "/a",
              document::parse(
                  R"([{"op":"replace","path":"/spec/supportedConfigs/0/defaultConfig/name","value":"d"},
              {"op":"add","path":"/spec/addOnConfiguration","value":{"crdName":"x.example"}}])"),
              "application/json-patch+json");
  REQUIRE(patched.code == 200);
  CHECK(patched.json["metadata"]["generation"] == 2);
  const auto beta = f.get(beta_types + "/a").json;
  CHECK(beta["spec"]["defaultConfigs"][0]["name"] == "d");
  CHECK_FALSE(beta["spec"].contains("addOnConfiguration"));
  const auto named = f.patch(beta_types + "/a", {{"spec", {{"addOnMeta", {{"displayName", "A"}}}}}});
  REQUIRE(named.code == 200);
  const auto alpha = f.get(alpha_types + "/a").json;
  CHECK(alpha["spec"]["addOnConfiguration"]["crdName"] == "x.example");
  CHECK(alpha["spec"]["addOnMeta"]["displayName"] == "A");
  CHECK_FALSE(alpha["metadata"].contains("annotations"));
  f.del(alpha_types + "/a");

  const auto in_alpha = alpha_watch->events(), in_beta = beta_watch->events();
  REQUIRE(in_alpha.size() == 4);
  REQUIRE(in_beta.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(in_alpha[i]["type"] == in_beta[i]["type"]);
    CHECK(in_alpha[i]["object"]["spec"].contains("supportedConfigs"));
    CHECK(in_beta[i]["object"]["spec"].contains("defaultConfigs"));
  }
}

TEST_CASE("an add-on's namespace is a field here and an annotation there", "[apiserver][versions]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.post(beta_addons, in("v1beta1", "ManagedClusterAddOn", R"({"spec":{}})")).code == 201);
  CHECK(f.get(alpha_addons + "/a").json["spec"]["installNamespace"] == "open-cluster-management-agent-addon");
  REQUIRE(f.patch(alpha_addons + "/a", {{"spec", {{"installNamespace", "elsewhere"}}}}).code == 200);
  CHECK(annotation_of(f.get(beta_addons + "/a").json, install_namespace) == "elsewhere");
  const auto partial =
      f.get(beta_addons + "/a", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
  CHECK(partial.json["kind"] == "PartialObjectMetadata");
  CHECK(annotation_of(partial.json, install_namespace) == "elsewhere");

  const auto wrong = f.patch(beta_addons + "/a", {{"metadata", {{"annotations", {{install_namespace, "No Name"}}}}}});
  CHECK(wrong.code == 422);
  CHECK(wrong.message().find("spec.installNamespace: Invalid value: \"No Name\"") != std::string::npos);
  CHECK(wrong.message().find("as addon.open-cluster-management.io/v1alpha1, which is stored") != std::string::npos);
  CHECK(f.patch(beta_addons + "/a", {{"spec", {{"installNamespace", "x"}}}}).code == 200);
  CHECK(f.get(alpha_addons + "/a").json["spec"]["installNamespace"] == "elsewhere");
}

TEST_CASE("status and spec are written apart in every version", "[apiserver][versions]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.post(alpha_addons, in("v1alpha1", "ManagedClusterAddOn", R"({"spec":{}})")).code == 201);
  const auto status = document::parse(R"({"status":{"addOnConfiguration":{"crName":"c"},"registrations":[
    {"signerName":"kubernetes.io/kube-apiserver-client","subject":{"user":"u"}}],"kubeClientDriver":"csr"}})");
  REQUIRE(f.patch(alpha_addons + "/a/status", status).code == 200);
  const auto beta = f.get(beta_addons + "/a").json;
  CHECK(beta["status"]["registrations"] ==
        document::parse(R"([{"type":"kubeClient","kubeClient":{"subject":{"user":"u"},"driver":"csr"}}])"));
  // The annotation that carries what v1beta1 has no field for is not a way to write a status.
  const document forged = {
      {"addon.open-cluster-management.io/v1alpha1-only", R"({"status":{"addOnConfiguration":{"crName":"forged"}}})"}};
  REQUIRE(f.patch(beta_addons + "/a", {{"metadata", {{"annotations", forged}}}}).code == 200);
  CHECK(f.get(alpha_addons + "/a").json["status"] == status["status"]);

  const auto token = document::parse(
      R"({"spec":{"configs":[]},"status":{"registrations":[{"type":"kubeClient","kubeClient":{"driver":"token"}}]}})");
  REQUIRE(f.patch(beta_addons + "/a/status", token).code == 200);
  const auto alpha = f.get(alpha_addons + "/a").json;
  CHECK(alpha["status"] == document::parse(R"({"addOnConfiguration":{"crName":"c"},"kubeClientDriver":"token",
    "registrations":[{"signerName":"kubernetes.io/kube-apiserver-client"}]})"));
  CHECK_FALSE(alpha["spec"].contains("configs"));
  CHECK(alpha["metadata"]["generation"] == 1);
  const auto nameless = document::parse(R"({"status":{"configReferences":[{"resource":"r"}]}})");
  const auto refused = f.patch(beta_addons + "/a/status", nameless);
  CHECK(refused.code == 422);
  CHECK(refused.message().find("status.configReferences[0].name: Required value") != std::string::npos);
}

TEST_CASE("lists with several keys are replaced by strategic patches of kinds that are custom elsewhere",
          "[apiserver][versions]") {
  api_fixture f;
  REQUIRE(f.post(beta_types, beta_type()).code == 201);
  const auto patch =
      document::parse(R"({"spec":{"supportedConfigs":[{"group":"g","resource":"t"},{"group":"g","resource":"u"}]}})");
  const auto patched = f.patch(alpha_types + "/a", patch, "application/strategic-merge-patch+json");
  CHECK(patched.json["spec"]["supportedConfigs"] == patch["spec"]["supportedConfigs"]);
}

TEST_CASE("discovery prefers the newer version", "[apiserver][versions]") {
  api_fixture f;
  const auto found = f.get("/apis/addon.open-cluster-management.io").json;
  CHECK(found["preferredVersion"]["version"] == "v1beta1");
  CHECK(found["versions"].size() == 2);
  CHECK(f.get(base + "v1alpha1").json["resources"].size() == 6);
  CHECK(f.get(base + "v1beta1").json["resources"].size() == 5);
}
