// Kinds that hold the content of works: what is asked of it there, too.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// A work's content with one condition rule.
document content(const char* type, const char* condition) {
  return {
      {"workload",
       {{"manifests",
         {{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "a"}, {"namespace", "default"}}}}}}}},
      {"manifestConfigs",
       {{{"resourceIdentifier", {{"resource", "configmaps"}, {"name", "a"}}},
         {"conditionRules", {{{"condition", condition}, {"type", type}}}}}}}};
}

}  // namespace

TEST_CASE("a condition rule in CEL names its condition, wherever works are written", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("n");
  struct row {
    const char* target;
    const char* path;
    std::function<document(document)> spec;
  };
  const row rows[] = {
      {"/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks", "spec", [](document d) { return d; }},
      {"/apis/work.open-cluster-management.io/v1alpha1/namespaces/n/manifestworkreplicasets",
       "spec.manifestWorkTemplate",
       [](document d) {
         return document{{"placementRefs", {{{"name", "p"}}}}, {"manifestWorkTemplate", std::move(d)}};
       }},
      {"/apis/addon.open-cluster-management.io/v1alpha1/addontemplates", "spec.agentSpec",
       [](document d) {
         return document{{"addonName", "a"}, {"agentSpec", std::move(d)}};
       }},
  };
  for (const auto& r : rows) {
    INFO(r.target);
    const auto post = [&](const char* type, const char* condition) {
      return f.post(r.target, {{"metadata", {{"name", "x"}}}, {"spec", r.spec(content(type, condition))}});
    };
    const auto refused = post("CEL", "");
    CHECK(refused.code == 422);
    CHECK(refused.message().find(std::string(r.path) + ".manifestConfigs[0].conditionRules[0]: Invalid value: " +
                                 "\"object\": Condition is required for CEL rules") != std::string::npos);
    CHECK(post("CEL", "Ready").code == 201);
  }
}
