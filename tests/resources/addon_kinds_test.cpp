// Kinds of works for many clusters, and of add-ons: defaults and bounds as in Open Cluster Management.
#include "kinds_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* addons = "addon.open-cluster-management.io";
constexpr const char* works = "work.open-cluster-management.io";

document made(const char* kind, const char* version, const char* body, const char* group = addons) {
  return defaulted(kind_set::hub, group, version, kind, body);
}

texts wrong(const char* kind, const char* version, const char* body, const char* group = addons) {
  return complaints(kind_set::hub, group, kind, body, version);
}

}  // namespace

TEST_CASE("add-on kinds are served in the versions that Open Cluster Management has", "[kinds][addon]") {
  const auto& hub = served(kind_set::hub);
  for (const char* plural : {"clustermanagementaddons", "managedclusteraddons", "addondeploymentconfigs"}) {
    INFO(plural);
    const auto stored = hub.find_resource(std::string(plural) + "." + addons);
    REQUIRE(stored);
    CHECK(stored->version == "v1alpha1");
    const auto other = hub.find(addons, "v1beta1", plural);
    REQUIRE(other);
    CHECK_FALSE(other->storage);
    CHECK(other->short_names == stored->short_names);
    CHECK(other->namespaced == stored->namespaced);
    CHECK(other->has_status == stored->has_status);
  }
  CHECK(hub.find_resource("clustermanagementaddons.addon.open-cluster-management.io")->short_names ==
        texts{"cma", "cmas"});
  CHECK(hub.find_resource("addontemplates.addon.open-cluster-management.io"));
  CHECK_FALSE(hub.find(addons, "v1beta1", "addontemplates"));
  CHECK(hub.find_resource("manifestworkreplicasets.work.open-cluster-management.io")->short_names == texts{"mwrs"});
}

TEST_CASE("a replica set of works rolls out to all clusters unless told otherwise", "[kinds][work]") {
  const auto set = made("ManifestWorkReplicaSet", "v1alpha1", R"({"spec":{"manifestWorkTemplate":{"deleteOption":{}},
    "placementRefs":[{"name":"a"},{"name":"b","rolloutStrategy":{"type":"Progressive","progressive":{}}}]}})",
                        works);
  CHECK(set["spec"] == document::parse(R"({"cascadeDeletionPolicy":"Background",
    "manifestWorkTemplate":{"deleteOption":{"propagationPolicy":"Foreground"}},
    "placementRefs":[{"name":"a","rolloutStrategy":{"type":"All","all":{"progressDeadline":"None","maxFailures":0,"minSuccessTime":"0"}}},
      {"name":"b","rolloutStrategy":{"type":"Progressive","progressive":{"progressDeadline":"None","maxFailures":0,"minSuccessTime":"0"}}}]})"));
  CHECK(
      wrong("ManifestWorkReplicaSet", "v1alpha1", R"({"spec":{"cascadeDeletionPolicy":"Now","placementRefs":[]}})",
            works) ==
      texts{"spec.manifestWorkTemplate: Required value",
            "spec.cascadeDeletionPolicy: Unsupported value: \"Now\": supported values: \"Background\", \"Foreground\"",
            "spec.placementRefs: Invalid value: 0: spec.placementRefs in body should have at least 1 items"});
  CHECK(wrong("ManifestWorkReplicaSet", "v1alpha1", R"({"spec":{"cascadeDeletionPolicy":"Background",
    "manifestWorkTemplate":{},"placementRefs":[{"name":"a","rolloutStrategy":{"type":"Progressive",
    "progressive":{"maxConcurrency":"101%","progressDeadline":"soon"}}}]}})",
              works)
            .size() == 2);
}

TEST_CASE("an add-on's type has a manual strategy and its groups are named", "[kinds][addon]") {
  const auto stored =
      made("ClusterManagementAddOn", "v1alpha1", R"({"spec":{"supportedConfigs":[{"resource":"configmaps"}]}})");
  CHECK(stored["spec"] == document::parse(R"({"installStrategy":{"type":"Manual"},
    "supportedConfigs":[{"group":"","resource":"configmaps"}]})"));
  const auto placed = made("ClusterManagementAddOn", "v1beta1", R"({"spec":{"installStrategy":{"type":"Placements",
    "placements":[{"namespace":"n","name":"p"}]},"defaultConfigs":[{"resource":"r","name":"c"}]}})");
  CHECK(placed["spec"] == document::parse(R"({"installStrategy":{"type":"Placements",
    "placements":[{"namespace":"n","name":"p","rolloutStrategy":{"type":"All"}}]},
    "defaultConfigs":[{"group":"","resource":"r","name":"c"}]})"));
  CHECK(wrong("ClusterManagementAddOn", "v1alpha1", "{}") == texts{"spec: Required value"});
  CHECK(wrong("ClusterManagementAddOn", "v1alpha1", R"({"spec":{"supportedConfigs":[{"group":"g","resource":"r"},
    {"group":"g","resource":"r"},{"group":"g","resource":"s","defaultConfig":{"name":""}}]}})") ==
        texts{"spec.supportedConfigs[2].defaultConfig.name: Invalid value: \"\": "
              "spec.supportedConfigs[2].defaultConfig.name in body should be at least 1 chars long",
              "spec.supportedConfigs[1]: Duplicate value: {\"group\":\"g\",\"resource\":\"r\"}"});
  CHECK(wrong("ClusterManagementAddOn", "v1beta1", R"({"spec":{"installStrategy":{"type":"Auto"},
    "defaultConfigs":[{"group":"g","resource":"r"}]}})") ==
        texts{"spec.defaultConfigs[0].name: Required value",
              "spec.installStrategy.type: Unsupported value: \"Auto\": supported values: \"Manual\", \"Placements\""});
}

TEST_CASE("an add-on on a cluster has a namespace and reports what it is allowed to", "[kinds][addon]") {
  CHECK(made("ManagedClusterAddOn", "v1alpha1", R"({"spec":{},"status":{"healthCheck":{}}})") ==
        document::parse(R"({"spec":{"installNamespace":"open-cluster-management-agent-addon"},
    "status":{"healthCheck":{"mode":"Lease"}}})"));
  CHECK(made("ManagedClusterAddOn", "v1beta1", R"({"spec":{"installNamespace":"n"}})") ==
        document::parse(R"({"spec":{}})"));
  CHECK(wrong("ManagedClusterAddOn", "v1alpha1", R"({"spec":{"installNamespace":"Not_A_Name"},
    "status":{"kubeClientDriver":"magic","registrations":[{"signerName":"plain"}]}})")
            .size() == 3);
  CHECK(
      wrong("ManagedClusterAddOn", "v1beta1", R"({"spec":{},"status":{"registrations":[{"type":"token"},
    {"type":"customSigner","customSigner":{}}]}})") ==
      texts{
          "status.registrations[0].type: Unsupported value: \"token\": supported values: \"kubeClient\", \"customSigner\"",
          "status.registrations[1].customSigner.signerName: Required value"});
}

TEST_CASE("what an add-on is set up with is checked in both versions alike", "[kinds][addon]") {
  for (const char* version : {"v1alpha1", "v1beta1"}) {
    CHECK(made("AddOnDeploymentConfig", version, R"({"spec":{"resourceRequirements":[{"containerID":"*:a:b",
      "resources":{"limits":{"cpu":1}}}],"nodePlacement":{"tolerations":[{"operator":"Exists","effect":"Anything"}]}}})") ==
          document::parse(R"({"spec":{"agentInstallNamespace":"open-cluster-management-agent-addon",
      "resourceRequirements":[{"containerID":"*:a:b","resources":{"limits":{"cpu":1}}}],
      "nodePlacement":{"tolerations":[{"operator":"Exists","effect":"Anything"}]}}})"));
    CHECK(wrong("AddOnDeploymentConfig", version, R"({"spec":{"agentInstallNamespace":"",
      "customizedVariables":[{"name":"1x"},{"name":"A"},{"name":"A"}],"registries":[{"source":"s"}],
      "proxyConfig":{"caBundle":"?"},"resourceRequirements":[{"containerID":"pods:a","resources":{"limits":{"cpu":"much"}}}]}})")
              .size() == 6);
  }
}

TEST_CASE("a template is a work and what its agent may do", "[kinds][addon]") {
  const auto doc = made("AddOnTemplate", "v1alpha1", R"({"spec":{"addonName":"a","agentSpec":{"workload":{"manifests":[
    {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{CLUSTER_NAME}}"},"data":{"k":"{{V}}"}}]},
    "manifestConfigs":[{"resourceIdentifier":{"resource":"configmaps","name":"x"}}]},
    "registration":[{"type":"KubeClient","kubeClient":{"hubPermissions":[{"type":"CurrentCluster","currentCluster":{"clusterRoleName":"r"}}]}}]}})");
  CHECK(doc["spec"]["agentSpec"]["manifestConfigs"][0]["feedbackScrapeType"] == "Poll");
  CHECK(doc["spec"]["agentSpec"]["workload"]["manifests"][0]["data"]["k"] == "{{V}}");
  CHECK(wrong("AddOnTemplate", "v1alpha1", R"({"spec":{"agentSpec":{},"registration":[{"type":"CustomSigner",
    "customSigner":{"signerName":"example.com/c"}},{"type":"KubeClient","kubeClient":{"hubPermissions":[{"type":"SingleNamespace",
    "singleNamespace":{"namespace":"n","roleRef":{"kind":"Role","name":"r"}}}]}}]}})") ==
        texts{"spec.addonName: Required value", "spec.registration[0].customSigner.signingCA: Required value",
              "spec.registration[1].kubeClient.hubPermissions[0].singleNamespace.roleRef.apiGroup: Required value"});
}
