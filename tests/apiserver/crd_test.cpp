#include <catch2/catch.hpp>
#include <set>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* things = "/apis/x.io/v1/namespaces/n/things";

document thing_crd() {
  document schema = {
      {"type", "object"},
      {"properties",
       {{"spec",
         {{"type", "object"}, {"properties", {{"size", {{"type", "integer"}, {"minimum", 1}, {"default", 3}}}}}}}}}};
  document version = {{"name", "v1"},
                      {"served", true},
                      {"storage", true},
                      {"schema", {{"openAPIV3Schema", schema}}},
                      {"subresources", {{"status", document::object()}}}};
  document old = version;
  old["name"] = "v1beta1";
  old["storage"] = false;
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", "things.x.io"}}},
          {"spec",
           {{"group", "x.io"},
            {"scope", "Namespaced"},
            {"names", {{"plural", "things"}, {"kind", "Thing"}}},
            {"versions", {version, old}}}}};
}

}  // namespace

TEST_CASE("a definition is established by the write that creates it and serves at once", "[apiserver][crd]") {
  api_fixture f(kind_set::cluster);
  f.make_namespace("n");
  auto made = f.post(crds, thing_crd());
  REQUIRE(made.code == 201);
  CHECK(condition_status(made.json, "Established") == "True");
  CHECK(condition_status(made.json, "NamesAccepted") == "True");
  CHECK(made.json["status"]["storedVersions"] == document({"v1"}));
  CHECK(made.json["status"]["acceptedNames"]["listKind"] == "ThingList");
  CHECK(made.json["spec"]["names"]["singular"] == "thing");
  CHECK(f.get("/apis/x.io/v1").json["resources"].size() == 2);

  auto thing = f.post(
      things,
      {{"apiVersion", "x.io/v1"}, {"kind", "Thing"}, {"metadata", {{"name", "t"}}}, {"spec", document::object()}});
  REQUIRE(thing.code == 201);
  CHECK(thing.json["spec"]["size"] == 3);
  CHECK(generation_of(thing.json).get() == 1);
  CHECK(f.patch(std::string(things) + "/t", {{"spec", {{"size", 0}}}}).code == 422);
  CHECK(f.patch(std::string(things) + "/t", document::object(), "application/strategic-merge-patch+json").code == 415);
  CHECK(f.get(std::string(things)).json["kind"] == "ThingList");

  api_fixture* other = &f;  // the other version shows the same object
  auto beta = other->get("/apis/x.io/v1beta1/namespaces/n/things/t");
  CHECK(api_version(beta.json) == "x.io/v1beta1");
  CHECK(f.get("/apis/x.io/v1beta1/things").json["items"][0]["apiVersion"] == "x.io/v1beta1");
  beta.json["spec"]["size"] = 5;
  CHECK(api_version(f.put("/apis/x.io/v1beta1/namespaces/n/things/t", beta.json).json) == "x.io/v1beta1");
  CHECK(f.get(std::string(things) + "/t").json["spec"]["size"] == 5);
  CHECK(api_version(f.get(std::string(things) + "/t").json) == "x.io/v1");
}

TEST_CASE("a definition with names that are in use waits until they are free", "[apiserver][crd]") {
  api_fixture f(kind_set::cluster);
  f.make_namespace("n");
  auto first = thing_crd();
  first["spec"]["names"]["shortNames"] = {"th", "ti"};
  REQUIRE(f.post(crds, first).code == 201);
  auto second = thing_crd();
  second["metadata"]["name"] = "others.x.io";
  second["spec"]["names"] = {{"plural", "others"}, {"kind", "Thing"}, {"singular", "other"}, {"shortNames", {"th"}}};
  const auto refused = f.post(crds, second).json;
  const auto* names_accepted = find_condition(refused["status"]["conditions"], "NamesAccepted");
  REQUIRE(names_accepted);
  CHECK((*names_accepted)["status"] == "False");
  CHECK((*names_accepted)["reason"] == "ListKindConflict");
  CHECK((*names_accepted)["message"] == "\"ThingList\" is already in use");
  CHECK(condition_status(refused, "Established") == "False");
  CHECK(refused["status"]["acceptedNames"] == document({{"plural", "others"}, {"singular", "other"}}));
  const std::string others = "/apis/x.io/v1/namespaces/n/others";
  CHECK(f.get(others).code == 404);
  CHECK(f.get(things).code == 200);

  REQUIRE(f.del(std::string(crds) + "/things.x.io").code == 200);
  f.timer.advance(std::chrono::seconds(1));
  f.timer.advance(std::chrono::seconds(1));
  const auto accepted = f.get(std::string(crds) + "/others.x.io").json;
  CHECK(condition_status(accepted, "Established") == "True");
  CHECK(accepted["status"]["acceptedNames"]["kind"] == "Thing");
  CHECK(f.get(others).code == 200);
}

TEST_CASE("an established definition keeps its names when it asks for others' names", "[apiserver][crd]") {
  api_fixture f(kind_set::cluster);
  f.make_namespace("n");
  REQUIRE(f.post(crds, thing_crd()).code == 201);
  auto second = thing_crd();
  second["metadata"]["name"] = "others.x.io";
  second["spec"]["names"] = {{"plural", "others"}, {"kind", "Other"}};
  REQUIRE(f.post(crds, second).code == 201);
  auto changed = f.patch(std::string(crds) + "/others.x.io",
                         {{"spec", {{"names", {{"shortNames", {"things"}}, {"categories", {"all"}}}}}}});
  REQUIRE(changed.code == 200);
  CHECK(condition_status(changed.json, "NamesAccepted") == "False");
  CHECK(condition_status(changed.json, "Established") == "True");
  const auto served = f.get("/apis/x.io/v1").json["resources"];
  for (const auto& r : served)
    if (r["name"] == "others") {
      CHECK_FALSE(r.contains("shortNames"));
      CHECK(r["categories"] == document({"all"}));
    }
  // Kinds that are compiled in have their names, too.
  auto greedy = thing_crd();
  greedy["metadata"]["name"] = "works.work.open-cluster-management.io";
  greedy["metadata"]["annotations"]["api-approved.kubernetes.io"] = "unapproved";
  greedy["spec"]["group"] = "work.open-cluster-management.io";
  greedy["spec"]["names"] = {{"plural", "works"}, {"kind", "AppliedManifestWork"}};
  const auto made = f.post(crds, greedy).json;
  CHECK(condition_status(made, "Established") == "False");
}

TEST_CASE("broken definitions are refused", "[apiserver][crd]") {
  api_fixture f(kind_set::cluster);
  auto misnamed = thing_crd();
  misnamed["metadata"]["name"] = "stuff.x.io";
  auto r = f.post(crds, misnamed);
  CHECK(r.code == 422);
  CHECK_THAT(r.message(), Catch::Contains("must be spec.names.plural+\".\"+spec.group"));
  auto unstored = thing_crd();
  unstored["spec"]["versions"][0]["storage"] = false;
  CHECK(f.post(crds, unstored).code == 422);
}

TEST_CASE("definitions stored before the start are served", "[apiserver][crd]") {
  api_fixture f(kind_set::cluster);
  f.make_namespace("n");
  f.post(crds, thing_crd());
  f.server.reset();
  kind_registry fresh;
  add_builtin_kinds(fresh, kind_set::cluster);
  api_options o;
  o.data = f.data.get();
  o.kinds = &fresh;
  o.gate = f.gate.get();
  o.access = &f.access;
  o.now = [&] { return f.timer.now(); };
  f.server = make_api_server(o);
  CHECK(f.get(things).code == 200);
}

TEST_CASE("deleting a definition deletes its objects first", "[apiserver][crd]") {
  api_fixture f(kind_set::cluster);
  f.make_namespace("n");
  f.post(crds, thing_crd());
  f.post(things, {{"metadata", {{"name", "a"}}}});
  f.post(things, {{"metadata", {{"name", "b"}, {"finalizers", {"x.io/hold"}}}}});
  auto going = f.del(std::string(crds) + "/things.x.io");
  CHECK(going.code == 200);
  CHECK(condition_status(going.json, "Terminating") == "True");
  CHECK(has_finalizer(going.json, "customresourcecleanup.apiextensions.k8s.io"));
  f.timer.advance(std::chrono::seconds(1));
  CHECK(f.get(std::string(things) + "/a").code == 404);
  CHECK(is_deleting(f.get(std::string(things) + "/b").json));
  CHECK(f.post(things, {{"metadata", {{"name", "c"}}}}).code == 405);
  CHECK(f.patch(std::string(things) + "/b", {{"metadata", {{"finalizers", nullptr}}}}).code == 200);
  f.timer.advance(std::chrono::seconds(1));
  CHECK(f.get(std::string(crds) + "/things.x.io").code == 404);
  CHECK(f.get(things).code == 404);
  CHECK(f.get("/apis/x.io").code == 404);
  CHECK(f.post(crds, thing_crd()).code == 201);
}

TEST_CASE("a definition of a compiled-in kind changes nothing", "[apiserver][crd]") {
  api_fixture f;
  f.make_namespace("n");
  auto crd = thing_crd();
  crd["metadata"]["name"] = "manifestworks.work.open-cluster-management.io";
  crd["spec"]["group"] = "work.open-cluster-management.io";
  crd["spec"]["names"] = {{"plural", "manifestworks"}, {"kind", "ManifestWork"}};
  CHECK(f.post(crds, crd).code == 201);
  CHECK(f.post("/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks", manifest_work("w")).code == 201);
  CHECK(f.del(std::string(crds) + "/manifestworks.work.open-cluster-management.io").code == 200);
  f.timer.advance(std::chrono::seconds(1));
  CHECK(f.get("/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks/w").code == 200);
  CHECK(f.get(std::string(crds) + "/manifestworks.work.open-cluster-management.io").code == 404);
}

TEST_CASE("rules in CEL are taken, and every writer is told that they are not enforced", "[apiserver][crd]") {
  api_fixture f;
  auto crd = thing_crd();
  auto& schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
  schema["x-kubernetes-validations"] = {{{"rule", "has(self.spec)"}}};
  schema["properties"]["spec"]["properties"]["size"]["x-kubernetes-validations"] = {
      {{"rule", "self < 10 || self == \"x\""}, {"message", "too large"}}};
  const std::string at = "299 - \"spec.versions[0].schema.openAPIV3Schema.";
  const std::string end = " is not enforced: CEL rules are kept but not evaluated\"";
  const auto warning =
      at +
      "properties[spec].properties[size].x-kubernetes-validations[0]: the rule \\\"self < 10 || self == "
      "\\\\\\\"x\\\\\\\"\\\"" +
      end + ", " + at + "x-kubernetes-validations[0]: the rule \\\"has(self.spec)\\\"" + end;
  auto sorted = [](const std::string& text) {
    auto middle = text.find(", 299");
    return middle == std::string::npos ? std::set<std::string>{text}
                                       : std::set<std::string>{text.substr(0, middle), text.substr(middle + 2)};
  };
  auto made = f.post(crds, crd);
  REQUIRE(made.code == 201);
  CHECK(sorted(made.headers["Warning"]) == sorted(warning));
  const auto name = std::string(crds) + "/things.x.io";
  CHECK(f.get(name).headers["Warning"].empty());
  auto changed = f.patch(name + "?dryRun=All", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  CHECK(sorted(changed.headers["Warning"]) == sorted(warning));
  CHECK(f.patch(name + "/status", {{"status", {{"x", 1}}}}).headers["Warning"].find("rule") == std::string::npos);

  auto plain = crd;
  plain["spec"]["versions"][0]["schema"] = thing_crd()["spec"]["versions"][0]["schema"];
  CHECK(f.patch(name, {{"spec", plain["spec"]}}).headers["Warning"].empty());
  document many = document::array();
  for (int i = 0; i < 23; ++i) many.push_back({{"rule", std::string(300, 'x')}});
  schema["x-kubernetes-validations"] = many;
  auto told = f.patch(name, {{"spec", crd["spec"]}}).headers["Warning"];
  CHECK_THAT(told, Catch::Contains("4 more x-kubernetes-validations are not enforced"));
  CHECK(told.size() < 8000);
}

TEST_CASE("a rule without text is refused", "[apiserver][crd]") {
  api_fixture f;
  auto crd = thing_crd();
  auto& schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
  const std::string at = "spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations";
  schema["x-kubernetes-validations"] = {{{"message", "m"}}};
  CHECK_THAT(f.post(crds, crd).message(), Catch::Contains(at + "[0].rule: Required value: rule is not specified"));
  schema["x-kubernetes-validations"] = {3};
  CHECK_THAT(f.post(crds, crd).message(), Catch::Contains(at + "[0]: Invalid value: 3: must be an object"));
  schema["x-kubernetes-validations"] = "self > 3";
  CHECK_THAT(f.post(crds, crd).message(), Catch::Contains(at + ": Invalid value: \"self > 3\": must be a list"));
}
