#pragma once
#include <catch2/catch.hpp>

#include "fixture.hpp"

namespace wh::test {

inline const std::string crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
inline const std::string deployments = "/apis/apps/v1/namespaces/n/deployments";
inline const std::string pools = "/apis/x.io/v1/namespaces/n/pools";
constexpr const char* json_patch = "application/json-patch+json";
constexpr const char* strategic = "application/strategic-merge-patch+json";
constexpr const char* as_table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

inline document deployment(const std::string& name, int replicas = 1) {
  document labels = {{"app", name}};
  document pod = {{"metadata", {{"labels", labels}}},
                  {"spec", {{"containers", {{{"name", "c"}, {"image", "nginx:1"}}}}}}};
  return {{"metadata", {{"name", name}}},
          {"spec", {{"replicas", replicas}, {"selector", {{"matchLabels", labels}}}, {"template", pod}}}};
}

/// A kind whose replicas are where nobody would look for them.
inline document pool_definition(const document& scale = {{"specReplicasPath", ".spec.workers.wanted"},
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

inline document pool(const std::string& name, const document& spec) {
  return {{"apiVersion", "x.io/v1"}, {"kind", "Pool"}, {"metadata", {{"name", name}}}, {"spec", spec}};
}

inline document set_to(int replicas) { return {{"spec", {{"replicas", replicas}}}}; }

struct cluster : api_fixture {
  cluster() : api_fixture(kind_set::cluster) {
    make_namespace("n");
    REQUIRE(post(crds, pool_definition()).code == 201);
    REQUIRE(post(deployments, deployment("web")).code == 201);
    REQUIRE(post(pools, pool("p", {{"workers", {{"wanted", 2}}}})).code == 201);
  }
};

}  // namespace wh::test
