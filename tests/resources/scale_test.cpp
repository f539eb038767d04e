#include "resources/scale.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

kind_info pools() {
  kind_info kind;
  kind.scale = {".spec.workers.wanted", ".status.workers", ".status.selector"};
  return kind;
}

}  // namespace

TEST_CASE("selectors become text as Kubernetes prints them", "[scale]") {
  struct row {
    const char* selector;
    const char* text;
  };
  const row rows[] = {
      {"{}", ""},
      {R"({"app": "web", "tier": "front"})", "app=web,tier=front"},
      {R"({"matchLabels": {"b": "2", "a": "1"}})", "a=1,b=2"},
      {R"({"matchLabels": {"m": "1"}, "matchExpressions": [{"key": "z", "operator": "In", "values": ["y", "x"]},
           {"key": "a", "operator": "NotIn", "values": ["b"]}, {"key": "c", "operator": "Exists"},
           {"key": "d", "operator": "DoesNotExist"}]})",
       "a notin (b),c,!d,m=1,z in (x,y)"},
      {R"({"matchLabels": 3, "matchExpressions": "x"})", "matchExpressions=x"},
  };
  for (const auto& r : rows) CHECK(selector_text(*parse_json(r.selector)) == r.text);
}

TEST_CASE("a Scale leaves out a zero and an empty selector, and says when there is no number", "[scale]") {
  const auto none = scale_of(pools(), {{"metadata", {{"name", "p"}, {"labels", {{"a", "b"}}}}}});
  REQUIRE(none.ok());
  CHECK_FALSE(none->has_replicas);
  CHECK(none->scale == *parse_json(R"({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "p"},
                                       "spec": {}, "status": {"replicas": 0}})"));
  const auto zero = scale_of(pools(), {{"spec", {{"workers", {{"wanted", 0}}}}}});
  CHECK(zero->has_replicas);
  CHECK(zero->scale["spec"].empty());
}

TEST_CASE("values of other types are told with their place", "[scale]") {
  const auto message = [](const char* object) { return scale_of(pools(), *parse_json(object)).err().message; };
  CHECK(message(R"({"spec": {"workers": {"wanted": "two"}}})") ==
        ".spec.workers.wanted accessor error: two is of the type string, expected int64");
  CHECK(message(R"({"spec": {"workers": [1]}})") ==
        ".spec.workers accessor error: [1] is of the type []interface {}, expected map[string]interface{}");
  CHECK(message(R"({"status": {"workers": 1.5}})") ==
        ".status.workers accessor error: 1.5 is of the type float64, expected int64");
  CHECK(message(R"({"status": {"selector": true}})") ==
        ".status.selector accessor error: true is of the type bool, expected string");
  document blocked = {{"spec", {{"workers", 3}}}};
  CHECK(set_replicas(pools(), blocked, 1).err().message ==
        "value cannot be set because .spec.workers is not a map[string]interface{}");
  document empty = document::object();
  REQUIRE(set_replicas(pools(), empty, 1).ok());
  CHECK(empty == document{{"spec", {{"workers", {{"wanted", 1}}}}}});
}
