// The shapes of built-in kinds' versions: what becomes of each field, and that nothing is lost on the way there and back.
#include "resources/conversion.hpp"

#include "kinds_fixture.hpp"

using namespace wh;

namespace {

constexpr const char* group = "addon.open-cluster-management.io";

struct versions {
  kind_ptr v1alpha1, v1beta1;
};

versions versions_of(const char* kind) {
  const auto& registry = test::served(kind_set::hub);
  return {registry.find_kind(group, "v1alpha1", kind), registry.find_kind(group, "v1beta1", kind)};
}

document in_beta(const char* kind, document object) {
  const auto v = versions_of(kind);
  convert(object, *v.v1alpha1, *v.v1beta1);
  return object;
}

document in_alpha(const char* kind, document object) {
  const auto v = versions_of(kind);
  convert(object, *v.v1beta1, *v.v1alpha1);
  return object;
}

document object(const char* version, const char* rest) {
  auto out = document::parse(rest);
  out["apiVersion"] = std::string(group) + "/" + version;
  if (!out.contains("metadata")) out["metadata"] = {{"name", "a"}};
  return out;
}

document alpha(const char* rest) { return object("v1alpha1", rest); }
document beta(const char* rest) { return object("v1beta1", rest); }

void goes_there_and_back(const char* kind, const document& alpha_object) {
  INFO(alpha_object);
  CHECK(in_alpha(kind, in_beta(kind, alpha_object)) == alpha_object);
}

void comes_here_and_back(const char* kind, const document& beta_object) {
  INFO(beta_object);
  CHECK(in_beta(kind, in_alpha(kind, beta_object)) == beta_object);
}

}  // namespace

TEST_CASE("a supported config without default has a reserved name in v1beta1", "[kinds][conversion]") {
  const auto* kind = "ClusterManagementAddOn";
  const auto stored = alpha(R"({"spec":{"addOnMeta":{"displayName":"A"},"installStrategy":{"type":"Manual"},
    "supportedConfigs":[{"group":"g","resource":"r"},{"group":"","resource":"s","defaultConfig":{"namespace":"n","name":"c"}}]},
    "status":{"defaultconfigReferences":[{"group":"","resource":"s","desiredConfig":{"namespace":"n","name":"c","specHash":"h"}}]}})");
  const auto shown = beta(R"({"spec":{"addOnMeta":{"displayName":"A"},"installStrategy":{"type":"Manual"},
    "defaultConfigs":[{"group":"g","resource":"r","name":"__reserved_no_default__"},{"group":"","resource":"s","namespace":"n","name":"c"}]},
    "status":{"defaultConfigReferences":[{"group":"","resource":"s","desiredConfig":{"namespace":"n","name":"c","specHash":"h"}}]}})");
  CHECK(in_beta(kind, stored) == shown);
  CHECK(in_alpha(kind, shown) == stored);
}

TEST_CASE("an add-on's namespace, driver and registrations have other places in v1beta1", "[kinds][conversion]") {
  const auto* kind = "ManagedClusterAddOn";
  const auto stored = alpha(R"({"spec":{"installNamespace":"ns","configs":[{"group":"g","resource":"r","name":"c"}]},
    "status":{"kubeClientDriver":"csr","namespace":"ns","registrations":[
      {"signerName":"kubernetes.io/kube-apiserver-client","subject":{"user":"u","groups":["g"]}},
      {"signerName":"example.com/s","subject":{"user":"v","organizationUnit":["o"]}}],
    "configReferences":[{"group":"g","resource":"r","namespace":"n","name":"c","lastObservedGeneration":2,
      "desiredConfig":{"namespace":"n","name":"c","specHash":"h"}}]}})");
  const auto shown = beta(
      R"({"metadata":{"name":"a","annotations":{"addon.open-cluster-management.io/v1alpha1-install-namespace":"ns"}},
    "spec":{"configs":[{"group":"g","resource":"r","name":"c"}]},
    "status":{"namespace":"ns","registrations":[
      {"type":"kubeClient","kubeClient":{"subject":{"user":"u","groups":["g"]},"driver":"csr"}},
      {"type":"customSigner","customSigner":{"signerName":"example.com/s","subject":{"user":"v","organizationUnits":["o"]}}}],
    "configReferences":[{"group":"g","resource":"r","lastObservedGeneration":2,
      "desiredConfig":{"namespace":"n","name":"c","specHash":"h"}}]}})");
  CHECK(in_beta(kind, stored) == shown);
  CHECK(in_alpha(kind, shown) == stored);
}

TEST_CASE("what a version has no field for comes back from where it was kept", "[kinds][conversion]") {
  for (
      const char* rest :
      {R"({"spec":{}})", R"({"spec":{"supportedConfigs":[]}})",
       R"({"spec":{"addOnConfiguration":{"crdName":"x.example","crName":"y","lastObservedGeneration":3}}})",
       R"({"spec":{"supportedConfigs":[{"resource":"r","defaultConfig":{"name":"__reserved_no_default__","namespace":"n"}}]}})",
       R"({"metadata":{"name":"a","annotations":{"k":"v"}},"spec":{"addOnConfiguration":{}},"status":{}})"})
    goes_there_and_back("ClusterManagementAddOn", alpha(rest));
  for (
      const char* rest :
      {R"({"spec":{"defaultConfigs":[{"group":"","resource":"r","namespace":"n","name":"__reserved_no_default__"}]}})",
       R"({"spec":{"defaultConfigs":[{"resource":"r","name":"c"},{"resource":"s","name":"__reserved_no_default__"}]},"status":{}})"})
    comes_here_and_back("ClusterManagementAddOn", beta(rest));
  for (
      const char* rest :
      {R"({"spec":{}})", R"({"spec":{"installNamespace":"n"}})",
       R"({"spec":{},"status":{"addOnConfiguration":{"crdName":"x"},"kubeClientDriver":"token"}})",
       R"({"spec":{},"status":{"kubeClientDriver":"csr","registrations":[{"signerName":"a.b/c"}]}})",
       R"({"spec":{},"status":{"kubeClientDriver":"csr","registrations":[{"signerName":"kubernetes.io/kube-apiserver-client"}]}})",
       R"({"spec":{},"status":{"registrations":[{"signerName":"kubernetes.io/kube-apiserver-client","subject":{"organizationUnit":["o"]}}]}})",
       R"({"spec":{},"status":{"registrations":[{"signerName":"kubernetes.io/kube-apiserver-client","subject":{}},{"signerName":"a.b/c","subject":{}}]}})",
       R"({"spec":{},"status":{"configReferences":[{"resource":"r","name":"c","namespace":"n"},{"resource":"r","name":"d","desiredConfig":{"name":"e"}}]}})"})
    goes_there_and_back("ManagedClusterAddOn", alpha(rest));
  for (
      const char* rest :
      {R"({"spec":{},"status":{"registrations":[{"type":"kubeClient"}]}})",
       R"({"spec":{},"status":{"registrations":[{"type":"kubeClient","kubeClient":{}}]}})",
       R"({"spec":{},"status":{"registrations":[{"type":"customSigner"}]}})",
       R"({"spec":{},"status":{"registrations":[{"type":"kubeClient","kubeClient":{"driver":"csr"}},{"type":"kubeClient","kubeClient":{"driver":"token"}}]}})",
       R"({"spec":{},"status":{"registrations":[{"type":"kubeClient","customSigner":{"signerName":"a.b/c"}},{"type":"customSigner","kubeClient":{"driver":"csr"}}]}})",
       R"({"spec":{},"status":{"registrations":[{"type":"customSigner","customSigner":{"signerName":"kubernetes.io/kube-apiserver-client"}}]}})",
       R"({"spec":{},"status":{"configReferences":[{"resource":"r"},{"resource":"s","desiredConfig":{"name":"c"}}]}})"})
    comes_here_and_back("ManagedClusterAddOn", beta(rest));
}

TEST_CASE("what was changed meanwhile is not put back", "[kinds][conversion]") {
  auto shown = in_beta("ManagedClusterAddOn", alpha(R"({"spec":{},"status":{
    "registrations":[{"signerName":"kubernetes.io/kube-apiserver-client","subject":{"organizationUnit":["o"]}}],
    "configReferences":[{"resource":"r","name":"c","desiredConfig":{"name":"d"}}],"kubeClientDriver":"csr"}})"));
  shown["status"]["registrations"][0]["kubeClient"] = {{"subject", {{"user", "u"}}}};
  shown["status"]["configReferences"][0]["desiredConfig"]["name"] = "new";
  const auto back = in_alpha("ManagedClusterAddOn", shown);
  CHECK(back["status"] == document::parse(R"({
    "registrations":[{"signerName":"kubernetes.io/kube-apiserver-client","subject":{"user":"u"}}],
    "configReferences":[{"resource":"r","name":"new","desiredConfig":{"name":"new"}}]})"));
  CHECK(back["metadata"] == document{{"name", "a"}});
}

TEST_CASE("versions of one shape differ in their apiVersion only, and odd documents do no harm",
          "[kinds][conversion]") {
  const auto config = alpha(R"({"spec":{"agentInstallNamespace":"n"}})");
  auto as_beta = config;
  as_beta["apiVersion"] = "addon.open-cluster-management.io/v1beta1";
  CHECK(in_beta("AddOnDeploymentConfig", config) == as_beta);
  CHECK_FALSE(
      differs_in_shape(*versions_of("AddOnDeploymentConfig").v1alpha1, *versions_of("AddOnDeploymentConfig").v1beta1));
  for (
      const char* odd :
      {R"({"spec":7,"status":[],"metadata":"m"})",
       R"({"metadata":{"annotations":{"addon.open-cluster-management.io/v1alpha1-only":"[","addon.open-cluster-management.io/v1beta1-only":"{\"status\":7}",
            "addon.open-cluster-management.io/v1alpha1-install-namespace":"n"}},"spec":"s","status":{"registrations":[1,null,{}],"configReferences":{}}})",
       R"({"spec":{"defaultConfigs":[3],"supportedConfigs":["x",{"defaultConfig":"y"}],"installNamespace":4}})"}) {
    for (const char* kind : {"ClusterManagementAddOn", "ManagedClusterAddOn"}) {
      INFO(kind << odd);
      CHECK(in_alpha(kind, beta(odd)).is_object());
      CHECK(in_beta(kind, alpha(odd)).is_object());
    }
  }
}
