#include "actors/spoke/manifest.hpp"

#include <catch2/catch.hpp>

#include "actors/spoke/manifest_apply.hpp"

using namespace wh;

namespace {

document object(const char* kind, const char* name) {
  return {{"apiVersion", "v1"}, {"kind", kind}, {"metadata", {{"name", name}, {"namespace", "shop"}}}};
}

const owner anchor{"hash-w", "anchor-uid"};

}  // namespace

TEST_CASE("manifests are applied by kind rank and keep their ordinals", "[manifest]") {
  const document work = {
      {"spec",
       {{"workload",
         {{"manifests",
           {object("Deployment", "d"), object("Widget", "x"), object("Namespace", "n"), object("ConfigMap", "a"),
            object("ConfigMap", "b"), object("Service", "s"), object("Role", "r")}}}}}}};
  std::string order;
  for (const auto& m : manifests_of(work)) order += m.object.name + std::to_string(m.ordinal) + " ";
  CHECK(order == "n2 r6 a3 b4 s5 d0 x1 ");
}

TEST_CASE("uid and resourceVersion inside a manifest are ignored", "[manifest]") {
  auto m = object("ConfigMap", "a");
  m["metadata"]["uid"] = "u";
  m["metadata"]["resourceVersion"] = "7";
  const document work = {{"spec", {{"workload", {{"manifests", {m}}}}}}};
  CHECK(manifests_of(work)[0].body["metadata"] == object("ConfigMap", "a")["metadata"]);
}

TEST_CASE("the first manifestConfig that matches and names a strategy decides", "[manifest]") {
  const auto config = [](const char* name, const char* type) {
    return document{
        {"resourceIdentifier", {{"group", ""}, {"resource", "configmaps"}, {"namespace", "*"}, {"name", name}}},
        {"updateStrategy", {{"type", type}}}};
  };
  const document work = {{"spec", {{"manifestConfigs", {config("a*", "CreateOnly"), config("*", "ReadOnly")}}}}};
  CHECK(strategy_for(work, {"", "configmaps", "shop", "ab"}) == update_strategy::create_only);
  CHECK(strategy_for(work, {"", "configmaps", "shop", "b"}) == update_strategy::read_only);
  CHECK(strategy_for(work, {"", "secrets", "shop", "ab"}) == update_strategy::update);
  CHECK(strategy_for(document::object(), {"", "secrets", "shop", "ab"}) == update_strategy::update);
}

TEST_CASE("deleteOption decides which objects stay", "[manifest]") {
  const resource_identifier id{"", "configmaps", "shop", "a"};
  CHECK_FALSE(is_orphaned({{"spec", document::object()}}, id));
  CHECK(is_orphaned({{"spec", {{"deleteOption", {{"propagationPolicy", "Orphan"}}}}}}, id));
  const document selective = {
      {"spec",
       {{"deleteOption",
         {{"propagationPolicy", "SelectivelyOrphan"},
          {"selectivelyOrphans",
           {{"orphaningRules",
             {{{"group", ""}, {"resource", "configmaps"}, {"namespace", "shop"}, {"name", "a"}}}}}}}}}}};
  CHECK(is_orphaned(selective, id));
  CHECK_FALSE(is_orphaned(selective, {"", "configmaps", "shop", "b"}));
}

TEST_CASE("Update replaces the body whole and merges metadata", "[manifest]") {
  auto manifest = object("ConfigMap", "a");
  manifest["data"] = {{"k", "wanted"}};
  manifest["metadata"]["labels"] = {{"keep", "new"}, {"gone-", ""}};
  auto live = object("ConfigMap", "a");
  live["data"] = {{"k", "damaged"}, {"extra", "x"}};
  live["metadata"]["labels"] = {{"keep", "old"}, {"gone", "1"}, {"others", "2"}};
  live["metadata"]["finalizers"] = {"theirs"};
  live["metadata"]["resourceVersion"] = "9";
  const auto updated = updated_form(manifest, live, anchor, true);
  REQUIRE(updated);
  CHECK((*updated)["data"] == document{{"k", "wanted"}});
  CHECK((*updated)["metadata"]["labels"] == document{{"keep", "new"}, {"others", "2"}});
  CHECK((*updated)["metadata"]["finalizers"] == document{"theirs"});
  CHECK((*updated)["metadata"]["resourceVersion"] == "9");
  CHECK(has_owner(*updated, anchor));
  CHECK_FALSE(updated_form(manifest, *updated, anchor, true));
}

TEST_CASE("an object that is to stay loses our reference and keeps the others'", "[manifest]") {
  auto live = object("ConfigMap", "a");
  set_owner(live, anchor, true);
  set_owner(live, {"other-w", "other-uid"}, true);
  CHECK(has_other_work_owner(live, anchor));
  const auto released = owned_form(live, anchor, false);
  REQUIRE(released);
  CHECK_FALSE(has_owner(*released, anchor));
  CHECK((*released)["metadata"]["ownerReferences"].size() == 1);
}
