// The OpenAPI documents as wholes: what they refer to is there, and nothing else is.
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

using names = std::set<std::string>;

/// Definitions that a schema, or anything around schemas, refers to; `prefix` is that of its document.
void collect(const document& at, const std::string& prefix, names& out) {
  if (at.is_object())
    if (const auto ref = at.find("$ref"); ref != at.end() && ref->is_string()) {
      const auto target = ref->get<std::string>();
      INFO(target);
      REQUIRE(target.starts_with(prefix));
      out.insert(target.substr(prefix.size()));
    }
  if (at.is_structured())
    for (const auto& each : at) collect(each, prefix, out);
}

/// Every reference has its definition, and every definition is a kind's or a list's, or is referred to.
void check_closed(const document& whole, const document& definitions, const std::string& prefix) {
  names referred;
  collect(whole, prefix, referred);
  for (const auto& name : referred) {
    INFO(name);
    CHECK(definitions.contains(name));
  }
  for (const auto& [name, definition] : definitions.items()) {
    INFO(name);
    CHECK((definition.contains("x-kubernetes-group-version-kind") || referred.contains(name)));
    CHECK(definition.dump().find("x-protobuf") == std::string::npos);
  }
}

const document* named(const document& definitions, const std::string& name) {
  const auto it = definitions.find(name);
  return it == definitions.end() ? nullptr : &*it;
}

}  // namespace

TEST_CASE("every reference of every OpenAPI document resolves, and nothing is defined in vain",
          "[apiserver][openapi]") {
  for (const auto set : {kind_set::hub, kind_set::cluster}) {
    api_fixture f(set);
    const auto index = f.get("/openapi/v3").json;
    for (const auto& [path, entry] : index["paths"].items()) {
      INFO(path);
      const auto doc = f.get(entry["serverRelativeURL"].get<std::string>()).json;
      check_closed(doc, doc["components"]["schemas"], "#/components/schemas/");
    }
    const auto v2 = f.get("/openapi/v2").json;
    check_closed(v2, v2["definitions"], "#/definitions/");
    const auto wire = f.get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf").text;
    for (const auto& [name, definition] : v2["definitions"].items()) {
      INFO(name);
      CHECK(wire.find(name) != std::string::npos);
    }
  }
}

TEST_CASE("a type that many kinds have is defined once", "[apiserver][openapi]") {
  api_fixture f(kind_set::cluster);
  const auto v2 = f.get("/openapi/v2");
  CHECK(v2.text.size() < 800'000);
  const auto& definitions = v2.json["definitions"];
  const auto* pod = named(definitions, "io.k8s.api.core.v1.PodSpec");
  REQUIRE(pod);
  CHECK((*pod)["properties"]["affinity"]["$ref"] == "#/definitions/io.k8s.api.core.v1.Affinity");
  CHECK((*pod)["properties"]["overhead"]["additionalProperties"]["$ref"] ==
        "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity");
  const auto* quantity = named(definitions, "io.k8s.apimachinery.pkg.api.resource.Quantity");
  REQUIRE(quantity);
  CHECK((*quantity)["type"] == "string");
  const auto* port = named(definitions, "io.k8s.apimachinery.pkg.util.intstr.IntOrString");
  REQUIRE(port);
  CHECK((*port)["type"] == "string");
  CHECK((*port)["format"] == "int-or-string");
}

TEST_CASE("lists that merge say so wherever their type is defined", "[apiserver][openapi]") {
  api_fixture f(kind_set::cluster);
  const auto v3 = f.get("/openapi/v3/apis/apps/v1").json["components"]["schemas"];
  const auto v2 = f.get("/openapi/v2").json["definitions"];
  for (const auto* definitions : {&v3, &v2}) {
    const auto* pod = named(*definitions, "io.k8s.api.core.v1.PodSpec");
    REQUIRE(pod);
    const auto& containers = (*pod)["properties"]["containers"];
    CHECK(containers["x-kubernetes-patch-strategy"] == "merge");
    CHECK(containers["x-kubernetes-patch-merge-key"] == "name");
    const auto& owners =
        (*named(*definitions, "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"))["properties"]["ownerReferences"];
    CHECK(owners["x-kubernetes-patch-merge-key"] == "uid");
  }
}

TEST_CASE("a kind that another one refers to is the kind", "[apiserver][openapi]") {
  api_fixture f(kind_set::cluster);
  const auto apps = f.get("/openapi/v3/apis/apps/v1").json["components"]["schemas"];
  const auto core = f.get("/openapi/v3/api/v1").json["components"]["schemas"];
  const auto* claim = named(apps, "io.k8s.api.core.v1.PersistentVolumeClaim");
  REQUIRE(claim);
  CHECK(*claim == core["io.k8s.api.core.v1.PersistentVolumeClaim"]);
  CHECK((*claim)["x-kubernetes-group-version-kind"][0]["kind"] == "PersistentVolumeClaim");
  CHECK_FALSE(apps.contains("io.k8s.api.core.v1.PersistentVolumeClaimList"));
}

TEST_CASE("kinds of Open Cluster Management are written out in full, as the CRDs that they are",
          "[apiserver][openapi]") {
  api_fixture f;
  const auto doc = f.get("/openapi/v3/apis/cluster.open-cluster-management.io/v1").json;
  const auto& kind = doc["components"]["schemas"]["io.open-cluster-management.cluster.v1.ManagedCluster"];
  names referred;
  collect(kind, "#/components/schemas/", referred);
  CHECK(referred == names{"io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"});
  CHECK(kind["properties"]["status"]["properties"]["capacity"]["additionalProperties"]["x-kubernetes-int-or-string"] ==
        true);
}
