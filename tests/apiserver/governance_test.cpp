#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* group = "/apis/policy.open-cluster-management.io";

std::string policies(const std::string& ns) { return std::string(group) + "/v1/namespaces/" + ns + "/policies"; }
std::string sets(const std::string& ns) { return std::string(group) + "/v1beta1/namespaces/" + ns + "/policysets"; }

document configuration(const char* action) {
  document spec = {{"object-templates", document::array()}};
  if (action) spec["remediationAction"] = action;
  return {{"objectDefinition",
           {{"apiVersion", "policy.open-cluster-management.io/v1"},
            {"kind", "ConfigurationPolicy"},
            {"metadata", {{"name", "c"}}},
            {"spec", std::move(spec)}}}};
}

document policy(const std::string& name, document templates = document::array()) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"disabled", false}, {"policy-templates", std::move(templates)}}}};
}

}  // namespace

TEST_CASE("a policy's namespace and name have 62 characters together", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("policies");
  CHECK(f.post(policies("policies"), policy(std::string(54, 'p'))).code == 201);
  const std::string long_name(55, 'p');
  const auto refused = f.post(policies("policies"), policy(long_name));
  CHECK(refused.code == 422);
  CHECK(refused.message() == "Policy.policy.open-cluster-management.io \"" + long_name +
                                 "\" is invalid: metadata.name: Invalid value: \"" + long_name +
                                 "\": namespace and name of a policy may have 62 characters together, these have 63");
  auto copy = policy(long_name);
  copy["metadata"]["labels"]["policy.open-cluster-management.io/root-policy"] = "policies.p";
  CHECK(f.post(policies("policies"), copy).code == 201);
}

TEST_CASE("what a policy does about differences is said once for all, or by each template", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("n");
  const auto refused = f.post(policies("n"), policy("p", {configuration("inform"), configuration(nullptr)}));
  CHECK(refused.code == 422);
  CHECK(
      refused.message() ==
      "Policy.policy.open-cluster-management.io \"p\" is invalid: spec.remediationAction: Required value: must be set "
      "unless every ConfigurationPolicy says it; spec.policy-templates[1] does not");
  auto whole = policy("p", {configuration(nullptr)});
  whole["spec"]["remediationAction"] = "enforce";
  REQUIRE(f.post(policies("n"), whole).code == 201);
  CHECK(f.patch(policies("n") + "/p", {{"spec", {{"remediationAction", nullptr}}}}).code == 422);
  CHECK(f.post(policies("n"), policy("q", {configuration("inform")})).code == 201);
  auto other = configuration(nullptr);
  other["objectDefinition"]["kind"] = "OperatorPolicy";
  CHECK(f.post(policies("n"), policy("r", {other})).code == 201);
}

TEST_CASE("a set excludes clusters from policies of its own, each once", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("n");
  const auto set = [](std::vector<const char*> excluded) {
    auto exclusions = document::array();
    for (const auto* name : excluded) exclusions.push_back({{"policyName", name}, {"clusterNames", {"c1"}}});
    return document{{"metadata", {{"name", "s"}}}, {"spec", {{"policies", {"a", "b"}}, {"exclusions", exclusions}}}};
  };
  const auto refused = f.post(sets("n"), set({"a", "c", "a"}));
  CHECK(refused.code == 422);
  CHECK_THAT(refused.message(),
             Catch::Contains("spec.exclusions[1].policyName: Invalid value: \"c\": must be one of spec.policies") &&
                 Catch::Contains("spec.exclusions[2].policyName: Duplicate value: \"a\""));
  CHECK(f.post(sets("n"), set({"a", "b"})).code == 201);
  CHECK(f.patch(sets("n") + "/s", {{"spec", {{"policies", {"a"}}}}}).code == 422);
  CHECK(f.patch(sets("n") + "/s", {{"metadata", {{"labels", {{"x", "y"}}}}}}).code == 200);
}

TEST_CASE("a ManagedServiceAccount is the same object in both its versions", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  const std::string at = "/apis/authentication.open-cluster-management.io/",
                    list = "/namespaces/n/managedserviceaccounts";
  const auto made =
      f.post(at + "v1alpha1" + list, {{"metadata", {{"name", "m"}}}, {"spec", {{"rotation", document::object()}}}});
  REQUIRE(made.code == 201);
  CHECK(made.json["apiVersion"] == "authentication.open-cluster-management.io/v1alpha1");
  const auto newer = f.get(at + "v1beta1" + list + "/m");
  CHECK(newer.json["apiVersion"] == "authentication.open-cluster-management.io/v1beta1");
  CHECK(newer.json["spec"] == document::parse(R"({"rotation":{"enabled":true,"validity":"8640h0m0s"}})"));
  CHECK(newer.json["metadata"]["uid"] == made.json["metadata"]["uid"]);
}
