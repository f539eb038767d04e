#include <catch2/catch.hpp>

#include "apiserver/strategic_merge.hpp"

using namespace wh;

namespace {

document parse(const char* text) { return document::parse(text); }

const schema& pod_like() {
  static const auto s = *schema::compile(parse(R"({"type":"object","properties":{
    "finalizers":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
    "args":{"type":"array","items":{"type":"string"}},
    "spec":{"type":"object","properties":{
      "containers":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
        "items":{"type":"object","properties":{"name":{"type":"string"},"image":{"type":"string"},
          "ports":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["containerPort","protocol"],
            "items":{"type":"object","properties":{"containerPort":{"type":"integer"},"protocol":{"type":"string"}}}}}}},
      "strategy":{"type":"object","properties":{"type":{"type":"string"},"rollingUpdate":{"type":"object"}}}}}}})"));
  return *s;
}

}  // namespace

TEST_CASE("strategic merge follows the schema's list keys and the patch's directives", "[apiserver][patch]") {
  struct row {
    const char* rule;
    const char* target;
    const char* patch;
    const char* want;
  };
  const row rows[] = {
      {"members merge and null removes", R"({"a":1,"b":{"c":2}})", R"({"b":{"d":3},"a":null})",
       R"({"b":{"c":2,"d":3}})"},
      {"keyed lists merge by key", R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"2"},{"name":"c"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"},{"name":"c"}]}})"},
      {"nested keyed lists", R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":81}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":81}]}]}})"},
      {"$patch: delete removes an element", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"$patch":"delete","name":"a"}]}})", R"({"spec":{"containers":[{"name":"b"}]}})"},
      {"$patch: replace of a list", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"z"},{"$patch":"replace"}]}})", R"({"spec":{"containers":[{"name":"z"}]}})"},
      {"$patch: replace of an object", R"({"spec":{"x":1,"y":2}})", R"({"spec":{"$patch":"replace","y":3}})",
       R"({"spec":{"y":3}})"},
      {"$patch: delete of an object", R"({"spec":{"x":1},"k":1})", R"({"spec":{"$patch":"delete"}})", R"({"k":1})"},
      {"sets unite", R"({"finalizers":["a"]})", R"({"finalizers":["a","b"]})", R"({"finalizers":["a","b"]})"},
      {"$deleteFromPrimitiveList", R"({"finalizers":["a","b"]})", R"({"$deleteFromPrimitiveList/finalizers":["a"]})",
       R"({"finalizers":["b"]})"},
      {"atomic lists are replaced", R"({"args":["a"]})", R"({"args":["b"]})", R"({"args":["b"]})"},
      {"lists that no schema knows are replaced", R"({"x":[{"name":"a"}]})", R"({"x":[{"name":"b"}]})",
       R"({"x":[{"name":"b"}]})"},
      {"$setElementOrder", R"({"spec":{"containers":[{"name":"a"},{"name":"x"},{"name":"b"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"a","image":"2"}]}})",
       R"({"spec":{"containers":[{"name":"b"},{"name":"x"},{"name":"a","image":"2"}]}})"},
      {"$retainKeys", R"({"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{}}}})",
       R"({"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}})",
       R"({"spec":{"strategy":{"type":"Recreate"}}})"},
      {"finalizers of metadata unite", R"({"metadata":{"finalizers":["a"]}})", R"({"metadata":{"finalizers":["b"]}})",
       R"({"metadata":{"finalizers":["a","b"]}})"},
      {"owners merge by uid", R"({"metadata":{"ownerReferences":[{"uid":"1","name":"x"}]}})",
       R"({"metadata":{"ownerReferences":[{"uid":"1","$patch":"delete"},{"uid":"2","name":"y"}]}})",
       R"({"metadata":{"ownerReferences":[{"uid":"2","name":"y"}]}})"},
      {"directives leave no trace in new objects", R"({})",
       R"({"spec":{"strategy":{"$retainKeys":["type"],"type":"x"}}})", R"({"spec":{"strategy":{"type":"x"}}})"},
  };
  for (const auto& r : rows) {
    INFO(r.rule);
    auto got = apply_strategic_merge(parse(r.target), parse(r.patch), pod_like());
    REQUIRE(got);
    CHECK(*got == parse(r.want));
  }
  auto keyless = apply_strategic_merge(parse("{}"), parse(R"({"spec":{"containers":[{"image":"x"}]}})"), pod_like());
  CHECK_FALSE(keyless);
  CHECK_THAT(keyless.err().message, Catch::Contains("does not contain declared merge key: name"));
  CHECK_FALSE(apply_strategic_merge(parse("{}"), parse("[]"), pod_like()));
}

TEST_CASE("a strategic merge of long lists costs no more than their length", "[apiserver][patch]") {
  // Compared each with each, these would take an hour.
  constexpr int n = 200'000;
  auto entry = [](int i) { return document{{"name", "c" + std::to_string(i)}}; };
  document target, keyed, set, removal, order;
  target["finalizers"] = document::array();
  for (int i = 0; i < n; ++i) {
    target["spec"]["containers"].push_back(entry(i));
    keyed["spec"]["containers"].push_back(entry(n - i));
    keyed["spec"]["$setElementOrder/containers"].push_back(entry(n - i));
    set["finalizers"].push_back("f" + std::to_string(i));
    removal["$deleteFromPrimitiveList/finalizers"].push_back("f" + std::to_string(i));
  }
  const auto merged = apply_strategic_merge(target, keyed, pod_like());
  REQUIRE(merged.ok());
  CHECK(merged->at("spec").at("containers").size() == n + 1);
  const auto united = apply_strategic_merge(target, set, pod_like());
  REQUIRE(united.ok());
  CHECK(united->at("finalizers").size() == n);
  CHECK(apply_strategic_merge(*united, set, pod_like())->at("finalizers").size() == n);
  CHECK(apply_strategic_merge(*united, removal, pod_like())->at("finalizers").empty());
}

TEST_CASE("a deletion takes every element with the key; what the patch adds twice is one element",
          "[apiserver][patch]") {
  const auto target = parse(R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"a","image":"2"}]}})");
  CHECK(*apply_strategic_merge(target, parse(R"({"spec":{"containers":[{"$patch":"delete","name":"a"}]}})"),
                               pod_like()) == parse(R"({"spec":{"containers":[{"name":"b"}]}})"));
  CHECK(
      *apply_strategic_merge(target,
                             parse(R"({"spec":{"containers":[{"name":"c","image":"1"},{"name":"c","image":"2"}]}})"),
                             pod_like()) ==
      parse(
          R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"a","image":"2"},{"name":"c","image":"2"}]}})"));
}
