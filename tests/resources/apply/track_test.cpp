#include <catch2/catch.hpp>

#include "story.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("a create belongs to its maker, but for what the server says", "[apply]") {
  story s;
  s.update("m",
           "{metadata: {uid: u, labels: {k: v}, finalizers: [e.io/f]}, spec: {text: t, set: [a]}, status: {phase: p}}");
  CHECK(s.owned("m") == R"({"f:metadata":{"f:finalizers":{".":{},"v:\"e.io/f\"":{}},"f:labels":{".":{},"f:k":{}}},)"
                        R"("f:spec":{".":{},"f:set":{".":{},"v:\"a\"":{}},"f:text":{}}})");
  const auto entry = apply::managed_fields_of(s.owners)[0];
  CHECK(entry["operation"] == "Update");
  CHECK(entry["time"] == "2026-01-02T03:04:06Z");
}

TEST_CASE("a built-in kind's parts belong to nobody", "[apply]") {
  story s("Deployment");
  s.update("m", "spec: {replicas: 1}");
  CHECK(s.owned("m") == R"({"f:spec":{"f:replicas":{}}})");
}

TEST_CASE("an update takes what it changes and leaves the rest", "[apply]") {
  story s;
  s.update("a", "spec: {text: t, number: 1, named: [{name: n, value: v}]}");
  s.update("b", "spec: {text: t, number: 2, named: [{name: n, value: w}, {name: m}]}");
  CHECK(s.owned("a") ==
        R"({"f:spec":{".":{},"f:named":{".":{},"k:{\"name\":\"n\"}":{".":{},"f:name":{}}},"f:text":{}}})");
  CHECK(s.owned("b") == R"({"f:spec":{"f:named":{"k:{\"name\":\"m\"}":{".":{},"f:name":{}},)"
                        R"("k:{\"name\":\"n\"}":{"f:value":{}}},"f:number":{}}})");
  CHECK(s.since("a") == 1);
  CHECK(s.since("b") == 2);
}

TEST_CASE("an update that changes nothing leaves owners and times alone", "[apply]") {
  story s;
  s.update("a", "spec: {text: t}");
  s.update("a", "spec: {text: t}");
  s.update("b", "spec: {text: t}");
  CHECK(s.since("a") == 1);
  CHECK(s.owned("b") == "");
}

TEST_CASE("what is gone has no owner, and who has nothing left is gone too", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {text: t}") == "");
  s.update("b", "spec: {number: 1}");
  CHECK(s.owned("a") == "");
  CHECK(s.owned("b") == R"({"f:spec":{"f:number":{}}})");
  s.update("c", "spec: {}");
  CHECK(s.owners.empty());
}

TEST_CASE("one manager has an entry for each way in which it writes", "[apply]") {
  story s;
  REQUIRE(s.apply("m", "spec: {text: t}") == "");
  s.update("m", "spec: {text: t, number: 1}");
  s.scope.api_version = "example.io/v2";
  s.update("m", "spec: {text: t, number: 1, set: [a]}");
  s.scope.subresource = "scale";
  s.update("m", "spec: {text: t, number: 2, set: [a]}");
  CHECK(s.owners.size() == 3);
  const auto entries = apply::managed_fields_of(s.owners);
  CHECK(entries[0]["operation"] == "Apply");
  CHECK(entries[1]["apiVersion"] == "example.io/v2");
  CHECK_FALSE(entries[1].contains("subresource"));
  CHECK(entries[2]["subresource"] == "scale");
}

TEST_CASE("items that share a key are owned together", "[apply]") {
  story s;
  s.update("a", "spec: {named: [{name: n, value: v}, {name: n, value: w}]}");
  CHECK(s.owned("a") == R"({"f:spec":{".":{},"f:named":{".":{},"k:{\"name\":\"n\"}":{}}}})");
  s.update("b", "spec: {named: [{name: n, value: v}, {name: n, value: x}]}");
  CHECK(s.owned("b") == R"({"f:spec":{"f:named":{"k:{\"name\":\"n\"}":{}}}})");
  s.update("c", "spec: {named: [{name: n, value: x}]}");
  CHECK(s.owned("b") == "");
  CHECK(s.owned("c") == R"({"f:spec":{"f:named":{"k:{\"name\":\"n\"}":{".":{},"f:name":{},"f:value":{}}}}})");
}

TEST_CASE("the oldest of too many updaters are united", "[apply]") {
  story s;
  std::string labels;
  for (int i = 0; i < 13; ++i) {
    labels += (i ? ", l" : "l") + std::to_string(i) + ": x";
    s.update("m" + std::to_string(i), "spec: {labels: {" + labels + "}}");
  }
  CHECK(s.owners.size() == apply::updaters_max);
  CHECK(s.owned("ancient-changes") ==
        R"({"f:spec":{".":{},"f:labels":{".":{},"f:l0":{},"f:l1":{},"f:l2":{},"f:l3":{}}}})");
  CHECK(s.owned("m3") == "");
  CHECK(s.owned("m4") != "");
}

TEST_CASE("managedFields that are none are refused with a reason", "[apply]") {
  struct row {
    const char* list;
    const char* message;
  };
  const row rows[] = {
      {"{}", "metadata.managedFields: must be a list"},
      {"[{}]", "metadata.managedFields[0]: operation must be `Apply` or `Update`"},
      {"[{operation: Apply}]", "metadata.managedFields[0]: apiVersion must not be empty"},
      {"[{operation: Apply, apiVersion: v1}]", "metadata.managedFields[0]: missing fieldsType"},
      {"[{operation: Apply, apiVersion: v1, fieldsType: F2}]", "metadata.managedFields[0]: invalid fieldsType \"F2\""},
      {"[{operation: Apply, apiVersion: v1, fieldsType: FieldsV1}, 1]", "metadata.managedFields[1]: must be an object"},
  };
  for (const auto& r : rows) {
    INFO(r.list);
    const auto owners = apply::parse_managers(yaml_of(r.list));
    REQUIRE_FALSE(owners);
    CHECK(owners.err().message == r.message);
  }
  CHECK(apply::is_reset(yaml_of("[]")));
  CHECK(apply::is_reset(yaml_of("[{}]")));
  CHECK_FALSE(apply::is_reset(yaml_of("[{}, {}]")));
  CHECK_FALSE(apply::is_reset(nullptr));
}
