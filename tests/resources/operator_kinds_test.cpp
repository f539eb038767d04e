// The operator's kinds: defaults and bounds as in Open Cluster Management.
#include "kinds_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* group = "operator.open-cluster-management.io";

document made(const char* kind, const char* body) { return defaulted(kind_set::hub, group, "v1", kind, body); }

texts wrong(const char* kind, const char* body) { return complaints(kind_set::hub, group, kind, body); }

}  // namespace

TEST_CASE("a hub is described by its images and ports if by nothing else", "[kinds][operator]") {
  CHECK(made("ClusterManager", R"({"metadata":{"name":"cluster-manager"}})")["spec"] == document::parse(R"({
    "registrationImagePullSpec":"quay.io/open-cluster-management/registration",
    "workImagePullSpec":"quay.io/open-cluster-management/work",
    "placementImagePullSpec":"quay.io/open-cluster-management/placement",
    "addOnManagerImagePullSpec":"quay.io/open-cluster-management/addon-manager",
    "deployOption":{"mode":"Default"},"workConfiguration":{"workDriver":"kube"}})"));
  const auto hosted = made("ClusterManager", R"({"spec":{"registrationImagePullSpec":"","deployOption":{"mode":"Hosted",
    "hosted":{"workWebhookConfiguration":{"address":"w.example","bindConfiguration":{"port":0}}}},
    "registrationConfiguration":{"featureGates":[{"feature":"F"}],"registrationDrivers":[{}]},
    "serverConfiguration":{"endpointsExposure":[{"grpc":{"hostname":{"host":"h"}}}]}}})");
  CHECK(hosted["spec"]["registrationImagePullSpec"] == "");
  CHECK(hosted["spec"]["deployOption"]["hosted"]["workWebhookConfiguration"] ==
        document::parse(R"({"address":"w.example",
    "port":443,"bindConfiguration":{"port":0,"healthProbePort":8000,"metricsPort":8080}})"));
  CHECK(hosted["spec"]["registrationConfiguration"] ==
        document::parse(
            R"({"featureGates":[{"feature":"F","mode":"Disable"}],"registrationDrivers":[{"authType":"csr"}]})"));
  CHECK(hosted["spec"]["serverConfiguration"]["endpointsExposure"] ==
        document::parse(R"([{"protocol":"grpc","grpc":{"type":"hostname","hostname":{"host":"h"}}}])"));
}

TEST_CASE("a hub that cannot be is refused field by field", "[kinds][operator]") {
  CHECK(
      wrong("ClusterManager", R"({"spec":{"deployOption":{"mode":"Singleton"},"workConfiguration":{"workDriver":"smtp"},
    "registrationConfiguration":{"registrationDrivers":[{"authType":"csr"},{"authType":"csr"},
      {"authType":"awsirsa","awsirsa":{"hubClusterArn":"arn:aws:eks:us-west-2:12:cluster/a"}}]}}})") ==
      texts{
          "spec.deployOption.mode: Unsupported value: \"Singleton\": supported values: \"Default\", \"Hosted\"",
          "spec.registrationConfiguration.registrationDrivers[2].awsirsa.hubClusterArn: Invalid value: "
          "\"arn:aws:eks:us-west-2:12:cluster/a\": spec.registrationConfiguration.registrationDrivers[2].awsirsa.hubClusterArn in body "
          "should match '^arn:aws:eks:([a-zA-Z0-9-]+):(\\d{12}):cluster/([a-zA-Z0-9-]+)$'",
          "spec.registrationConfiguration.registrationDrivers[1]: Duplicate value: {\"authType\":\"csr\"}",
          "spec.workConfiguration.workDriver: Unsupported value: \"smtp\": supported values: \"kube\", \"mqtt\", \"grpc\""});
  CHECK(
      wrong("ClusterManager", R"({"spec":{"deployOption":{"mode":"Hosted","hosted":{"registrationWebhookConfiguration":
    {"address":"-x","port":65536}}}}})")
          .size() == 2);
}

TEST_CASE("a klusterlet is served where it is asked for and where it runs", "[kinds][operator]") {
  for (const auto set : {kind_set::hub, kind_set::cluster})
    CHECK(served(set).find_resource("klusterlets.operator.open-cluster-management.io"));
  CHECK_FALSE(served(kind_set::cluster).find_resource("clustermanagers.operator.open-cluster-management.io"));
  CHECK(made("Klusterlet", R"({"spec":{"workConfiguration":{"kubeAPIQPS":0},"registrationConfiguration":{
    "bootstrapKubeConfigs":{"localSecretsConfig":{"kubeConfigSecrets":[{"name":"a"},{"name":"b"}]}},
    "registrationDriver":{},"clusterClaimConfiguration":{}}}})")["spec"] == document::parse(R"({
    "workConfiguration":{"kubeAPIQPS":0,"kubeAPIBurst":100,"hubKubeAPIQPS":50,"hubKubeAPIBurst":100},
    "registrationConfiguration":{"kubeAPIQPS":50,"kubeAPIBurst":100,"registrationDriver":{"authType":"csr"},
      "clusterClaimConfiguration":{"maxCustomClusterClaims":20},
      "bootstrapKubeConfigs":{"type":"None","localSecretsConfig":{"hubConnectionTimeoutSeconds":600,
        "kubeConfigSecrets":[{"name":"a"},{"name":"b"}]}}}})"));
  CHECK(made("Klusterlet", "{}") == document::object());
}

TEST_CASE("a klusterlet that cannot be is refused field by field", "[kinds][operator]") {
  CHECK(wrong("Klusterlet", R"({"spec":{"namespace":"kube-system","clusterName":"C1","externalServerURLs":[{}],
    "hubApiServerHostAlias":{"ip":"1.2.3","hostname":"h"},"workConfiguration":{"statusSyncInterval":"1 minute"},
    "registrationConfiguration":{"bootstrapKubeConfigs":{"type":"LocalSecrets","localSecretsConfig":{
      "kubeConfigSecrets":[{"name":"one"}],"hubConnectionTimeoutSeconds":179}},
      "clusterClaimConfiguration":{"maxCustomClusterClaims":1,"reservedClusterClaimSuffixes":[""]}}}})")
            .size() == 8);
}
