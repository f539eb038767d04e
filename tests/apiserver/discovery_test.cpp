#include <catch2/catch.hpp>

#include <algorithm>

#include "apiserver/discovery.hpp"
#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const document* find_by(const document& list, const char* member, const std::string& value) {
  auto it = std::find_if(list.begin(), list.end(), [&](const document& d) { return d.value(member, "") == value; });
  return it == list.end() ? nullptr : &*it;
}

}  // namespace

TEST_CASE("plain discovery lists groups, versions and resources", "[apiserver]") {
  api_fixture f;
  CHECK(f.get("/api").json["versions"] == document({"v1"}));
  auto groups = f.get("/apis").json;
  CHECK(groups["kind"] == "APIGroupList");
  REQUIRE(find_by(groups["groups"], "name", "work.open-cluster-management.io"));
  CHECK(find_by(groups["groups"], "name", "work.open-cluster-management.io")->at("preferredVersion")["groupVersion"] ==
        "work.open-cluster-management.io/v1");
  CHECK_FALSE(find_by(groups["groups"], "name", ""));
  CHECK(f.get("/apis/work.open-cluster-management.io").json["kind"] == "APIGroup");
  auto core = f.get("/api/v1").json;
  CHECK(core["groupVersion"] == "v1");
  const auto* maps = find_by(core["resources"], "name", "configmaps");
  REQUIRE(maps);
  CHECK(maps->at("shortNames") == document({"cm"}));
  CHECK(maps->at("verbs") ==
        document({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}));
  CHECK(find_by(core["resources"], "name", "namespaces/status"));
  CHECK(find_by(core["resources"], "name", "namespaces/finalize"));
  CHECK(
      find_by(f.get("/apis/certificates.k8s.io/v1").json["resources"], "name", "certificatesigningrequests/approval"));
  CHECK(find_by(f.get("/apis/authorization.k8s.io/v1").json["resources"], "name", "selfsubjectaccessreviews"));
  CHECK(f.get("/apis/none.io").code == 404);
  CHECK(f.get("/apis/none.io/v1").code == 404);
  CHECK(f.get("/api/v2").code == 404);
}

TEST_CASE("aggregated discovery is chosen by the Accept header", "[apiserver]") {
  api_fixture f;
  for (std::string version : {"v2", "v2beta1"}) {
    auto type = "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList";
    auto groups = f.get("/apis", type + ",application/json");
    CHECK(groups.headers["Content-Type"] == type);
    CHECK(groups.json["apiVersion"] == "apidiscovery.k8s.io/" + version);
    CHECK(groups.json["items"].size() > 3);
    auto core = f.get("/api", type).json;
    REQUIRE(core["items"].size() == 1);
    const auto* ns = find_by(core["items"][0]["versions"][0]["resources"], "resource", "namespaces");
    REQUIRE(ns);
    CHECK(ns->at("scope") == "Cluster");
    CHECK(find_by(ns->at("subresources"), "subresource", "status"));
  }
  CHECK(f.get("/apis", "application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
            .json["kind"] == "APIGroupList");
}

TEST_CASE("versions are ordered as Kubernetes orders them", "[apiserver]") {
  std::vector<std::string> v = {"v1alpha1", "v1", "v10", "v1beta2", "foo", "v2", "v1beta10", "v11alpha2"};
  std::sort(v.begin(), v.end(), version_precedes);
  CHECK(v == std::vector<std::string>{"v10", "v2", "v1", "v1beta10", "v1beta2", "v11alpha2", "v1alpha1", "foo"});
}

TEST_CASE("OpenAPI v3 tells kubectl that the server validates fields", "[apiserver]") {
  api_fixture f;
  auto index = f.get("/openapi/v3").json;
  auto url = index["paths"]["apis/work.open-cluster-management.io/v1"]["serverRelativeURL"].get<std::string>();
  auto doc = f.get(url).json;
  CHECK(doc["openapi"] == "3.0.0");
  const auto& schema = doc["components"]["schemas"]["io.open-cluster-management.work.v1.ManifestWork"];
  CHECK(schema["x-kubernetes-group-version-kind"][0]["kind"] == "ManifestWork");
  CHECK(schema["properties"]["spec"]["properties"].contains("workload"));
  const auto& patch =
      doc["paths"]["/apis/work.open-cluster-management.io/v1/namespaces/{namespace}/manifestworks/{name}"]["patch"];
  CHECK(patch["x-kubernetes-group-version-kind"]["kind"] == "ManifestWork");
  for (const char* name : {"dryRun", "fieldManager", "fieldValidation", "force"})
    CHECK(find_by(patch["parameters"], "name", name));
  CHECK(patch["requestBody"]["content"].contains("application/apply-patch+yaml"));
  CHECK(doc["components"]["schemas"].contains("io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry"));
  CHECK(f.get("/openapi/v3/api/v1").json["components"]["schemas"].contains("io.k8s.api.core.v1.ConfigMap"));
  CHECK(f.get("/openapi/v3/apis/none.io/v1").code == 404);
  CHECK(f.get("/openapi/v3/api/v1", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf").code == 406);
}

TEST_CASE("both OpenAPI documents define what a scale subresource carries", "[apiserver]") {
  api_fixture f(kind_set::cluster);
  const auto* scale = "io.k8s.api.autoscaling.v1.Scale";
  const auto v2 = f.get("/openapi/v2").json;
  const auto v3 = f.get("/openapi/v3/apis/apps/v1").json;
  REQUIRE(v2["definitions"].contains(scale));
  REQUIRE(v3["components"]["schemas"].contains(scale));
  CHECK(v2["definitions"][scale]["x-kubernetes-group-version-kind"][0]["kind"] == "Scale");
}

TEST_CASE("both OpenAPI documents define what reviews are asked with", "[apiserver]") {
  api_fixture f;
  const auto* name = "io.k8s.api.authorization.v1.SubjectAccessReview";
  CHECK(f.get("/openapi/v3").json["paths"].contains("apis/authentication.k8s.io/v1"));
  const auto v3 = f.get("/openapi/v3/apis/authorization.k8s.io/v1").json;
  REQUIRE(v3["components"]["schemas"].contains(name));
  CHECK_FALSE(v3["components"]["schemas"].contains(std::string(name) + "List"));
  CHECK(v3["paths"]["/apis/authorization.k8s.io/v1/subjectaccessreviews"].size() == 1);
  CHECK(v3["paths"]["/apis/authorization.k8s.io/v1/namespaces/{namespace}/localsubjectaccessreviews"].contains("post"));
  const auto v2 = f.get("/openapi/v2").json;
  REQUIRE(v2["definitions"].contains(name));
  CHECK(v2["definitions"][name]["properties"]["spec"]["$ref"] == "#/definitions/" + std::string(name) + "Spec");
  CHECK(
      v2["definitions"][std::string(name) + "Spec"]["properties"]["user"]["description"].get<std::string>().starts_with(
          "Name of the user"));
}

TEST_CASE("OpenAPI v2 has the definitions that old kubectl explains and validates with", "[apiserver]") {
  api_fixture f;
  const auto swagger = f.get("/openapi/v2").json;
  CHECK(swagger["swagger"] == "2.0");
  const auto& definitions = swagger["definitions"];
  const auto& lease = definitions["io.k8s.api.coordination.v1.Lease"];
  CHECK(lease["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.coordination.v1.LeaseSpec");
  const auto& spec = definitions["io.k8s.api.coordination.v1.LeaseSpec"];
  CHECK(spec["properties"]["leaseDurationSeconds"]["type"] == "integer");
  CHECK(lease["properties"]["metadata"]["$ref"] == "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  CHECK(lease["x-kubernetes-group-version-kind"][0]["kind"] == "Lease");
  // What may be null has no type in v2; kubectl would refuse the null.
  const auto& taint =
      definitions["io.open-cluster-management.cluster.v1.ManagedCluster"]["properties"]["spec"]["properties"]["taints"];
  CHECK_FALSE(taint["items"]["properties"]["timeAdded"].contains("type"));
  CHECK(swagger["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"].contains("parameters"));

  const auto r = f.get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
  CHECK(r.text.substr(0, 5) == std::string("\x0a\x03") + "2.0");
  CHECK_THAT(r.text, Catch::Contains("io.k8s.api.coordination.v1.Lease") && Catch::Contains("leaseDurationSeconds"));
}

TEST_CASE("lists that merge say so in the words of strategic merge patches", "[apiserver]") {
  api_fixture f(kind_set::cluster);
  const auto service = f.get("/openapi/v3/api/v1").json["components"]["schemas"]["io.k8s.api.core.v1.ServiceSpec"];
  const auto& ports = service["properties"]["ports"];
  CHECK(ports["x-kubernetes-patch-strategy"] == "merge");
  CHECK(ports["x-kubernetes-patch-merge-key"] == "port");
}

TEST_CASE("health, version and metrics", "[apiserver]") {
  std::optional<error> trouble;
  api_fixture f(kind_set::hub, [&](api_options& o) {
    o.ready = [&]() -> result<void> { return trouble ? result<void>(*trouble) : result<void>(); };
    o.metrics = [] { return std::string("up 1\n"); };
  });
  for (const char* path : {"/healthz", "/livez", "/readyz"}) {
    CHECK(f.get(path).text == "ok");
    CHECK(f.call("GET", path, {}, {.user = {}}).code == 200);
  }
  CHECK(f.get("/readyz?verbose").text == "[+]ping ok\n[+]store ok\n[+]ready ok\n[+]shutdown ok\nreadyz check passed\n");
  trouble = fail(errc::unavailable, "still loading");
  CHECK(f.get("/readyz").code == 503);
  CHECK_THAT(f.get("/readyz").text, Catch::Contains("[-]ready failed: still loading"));
  CHECK(f.get("/livez").code == 200);
  auto version = f.get("/version").json;
  CHECK(version["major"] == "1");
  CHECK(version["minor"] == "33");
  CHECK(f.get("/metrics").text == "up 1\n");
  CHECK(f.get("/nothing/here").code == 404);
}
