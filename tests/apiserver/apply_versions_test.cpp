// Server-side apply of an object whose versions differ in shape: who owns a field keeps it under its other name.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string base = "/apis/addon.open-cluster-management.io/";
const std::string alpha_type = base + "v1alpha1/clustermanagementaddons/a";
const std::string beta_type = base + "v1beta1/clustermanagementaddons/a";

std::string alpha(const std::string& configs) {
  return "apiVersion: addon.open-cluster-management.io/v1alpha1\nkind: ClusterManagementAddOn\n"
         "metadata: {name: a}\nspec: {supportedConfigs: [" +
         configs + "]}\n";
}

std::string beta(const std::string& configs) {
  return "apiVersion: addon.open-cluster-management.io/v1beta1\nkind: ClusterManagementAddOn\n"
         "metadata: {name: a}\nspec: {defaultConfigs: [" +
         configs + "]}\n";
}

/// Who owns what, as `manager version`.
std::vector<std::string> owners(const document& object) {
  std::vector<std::string> out;
  if (const auto* list = find_path(object, {"metadata", "managedFields"}))
    for (const auto& e : *list)
      out.push_back(std::string(string_at(e, {"manager"})) + " " +
                    split_api_version(string_at(e, {"apiVersion"})).version);
  return out;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a change in another version conflicts with who owns the field", "[apiserver][apply][versions]") {
  api_fixture f;
  const std::string config = "{group: g, resource: r, defaultConfig: {namespace: n, name: c}}";
  REQUIRE(f.apply(alpha_type, "one", alpha(config)).code == 201);
  const auto same = f.apply(beta_type, "two", beta("{group: g, resource: r, namespace: n, name: c}"));
  CHECK(same.code == 200);
  CHECK(owners(same.json) == texts{"one v1alpha1", "two v1beta1"});
  const auto other = f.apply(beta_type, "two", beta("{group: g, resource: r, namespace: n, name: d}"));
  CHECK(other.code == 409);
  CHECK(other.message() ==
        "Apply failed with 1 conflict: conflict with \"one\": "
        ".spec.supportedConfigs[group=\"g\",resource=\"r\"].defaultConfig.name");
  const auto forced = f.apply(beta_type, "two", beta("{group: g, resource: r, namespace: n, name: d}"), "&force=true");
  REQUIRE(forced.code == 200);
  CHECK(f.get(alpha_type).json["spec"]["supportedConfigs"][0]["defaultConfig"]["name"] == "d");
  CHECK(f.apply(alpha_type, "one", alpha(config)).code == 409);
}

TEST_CASE("an applier that turns to another version takes along what it owns", "[apiserver][apply][versions]") {
  api_fixture f;
  REQUIRE(f.apply(alpha_type, "me",
                  alpha("{group: g, resource: r, defaultConfig: {namespace: n, name: c}}, {group: g, resource: s}"))
              .code == 201);
  const auto moved = f.apply(beta_type, "me", beta("{group: g, resource: r, name: c}"));
  REQUIRE(moved.code == 200);
  CHECK(owners(moved.json) == texts{"me v1beta1"});
  CHECK(moved.json["spec"]["defaultConfigs"] == document::parse(R"([{"group":"g","resource":"r","name":"c"}])"));
  const auto back = f.apply(alpha_type, "me", alpha("{group: g, resource: t}"));
  REQUIRE(back.code == 200);
  CHECK(owners(back.json) == texts{"me v1alpha1"});
  CHECK(back.json["spec"]["supportedConfigs"] == document::parse(R"([{"group":"g","resource":"t"}])"));
  CHECK(f.get(beta_type).json["spec"]["defaultConfigs"][0]["name"] == "__reserved_no_default__");
}

TEST_CASE("what another version's owner still wants stays when an applier drops it", "[apiserver][apply][versions]") {
  api_fixture f;
  REQUIRE(f.apply(alpha_type, "one", alpha("{group: g, resource: r}, {group: g, resource: s}")).code == 201);
  const std::string none = "name: __reserved_no_default__";
  REQUIRE(f.apply(beta_type, "two", beta("{group: g, resource: s, " + none + "}")).code == 200);
  const auto left = f.apply(alpha_type, "one", alpha("{group: g, resource: r}"));
  REQUIRE(left.code == 200);
  CHECK(left.json["spec"]["supportedConfigs"].size() == 2);
  const auto gone = f.apply(beta_type, "two", beta(""));
  REQUIRE(gone.code == 200);
  CHECK(f.get(alpha_type).json["spec"]["supportedConfigs"] == document::parse(R"([{"group":"g","resource":"r"}])"));
}

TEST_CASE("a plain update in another version takes the field from its owner", "[apiserver][apply][versions]") {
  api_fixture f;
  f.make_namespace("n");
  const std::string alpha_addon = base + "v1alpha1/namespaces/n/managedclusteraddons/a";
  const std::string beta_addon = base + "v1beta1/namespaces/n/managedclusteraddons/a";
  REQUIRE(f.apply(alpha_addon, "one",
                  "apiVersion: addon.open-cluster-management.io/v1alpha1\nkind: ManagedClusterAddOn\n"
                  "metadata: {name: a}\nspec: {installNamespace: x}\n")
              .code == 201);
  const document moved = {{"addon.open-cluster-management.io/v1alpha1-install-namespace", "y"}};
  const auto patched = f.patch(beta_addon + "?fieldManager=two", {{"metadata", {{"annotations", moved}}}});
  REQUIRE(patched.code == 200);
  CHECK(owners(patched.json) == texts{"two v1beta1"});
  CHECK(f.get(alpha_addon).json["spec"]["installNamespace"] == "y");
}
