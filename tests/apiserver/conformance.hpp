#pragma once
#include <catch2/catch.hpp>

#include "fixture.hpp"

// Conventions of the Kubernetes API that every kind set keeps, one row each; the other tests here have the rest.

namespace wh::test {

inline const std::string maps = "/api/v1/namespaces/n/configmaps";
inline const std::string things = "/apis/x.io/v1/namespaces/n/things";
constexpr const char* json_patch = "application/json-patch+json";
constexpr const char* as_table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
constexpr const char* as_partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

using strings = std::vector<std::string>;

/// A namespaced kind with a column and the subresources status and scale; its size is its replicas.
inline document things_definition() {
  document schema = {
      {"type", "object"},
      {"properties",
       {{"spec", {{"type", "object"}, {"properties", {{"size", {{"type", "integer"}, {"default", 3}}}}}}},
        {"status", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}};
  document version = {
      {"name", "v1"},
      {"served", true},
      {"storage", true},
      {"schema", {{"openAPIV3Schema", schema}}},
      {"subresources",
       {{"status", document::object()},
        {"scale", {{"specReplicasPath", ".spec.size"}, {"statusReplicasPath", ".status.size"}}}}},
      {"additionalPrinterColumns", {{{"name", "Size"}, {"type", "integer"}, {"jsonPath", ".spec.size"}}}}};
  return {{"metadata", {{"name", "things.x.io"}}},
          {"spec",
           {{"group", "x.io"},
            {"scope", "Namespaced"},
            {"names", {{"plural", "things"}, {"kind", "Thing"}}},
            {"versions", {version}}}}};
}

inline document named(const std::string& name) { return {{"metadata", {{"name", name}}}}; }
inline document thing(const std::string& name, int size = 1) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"size", size}}}};
}
inline std::string version_of(const document& d) { return std::string(string_at(d, {"metadata", "resourceVersion"})); }

inline strings names(const document& list) {
  strings out;
  for (const auto& item : list["items"]) out.emplace_back(name_of(item));
  return out;
}

struct convention_row {
  const char* convention;
  void (*check)(api_fixture&);  ///< on a server with namespace n and the kind Thing
};

inline void check_all(std::initializer_list<convention_row> rows) {
  for (auto set : {kind_set::hub, kind_set::cluster})
    for (const auto& r : rows) {
      INFO((set == kind_set::hub ? "hub: " : "cluster: ") << r.convention);
      api_fixture f(set);
      f.make_namespace("n");
      REQUIRE(f.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", things_definition()).code == 201);
      r.check(f);
    }
}

}  // namespace wh::test
