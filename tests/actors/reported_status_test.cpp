// What of a reported status reaches the store: the shape that typed clients can read, and nothing else.
#include "actors/hub/reported_status.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

const instant now = instant(std::chrono::hours(24 * 20000));

document cleaned(const document& said) {
  const auto read = read_reported_status(said.dump(), now);
  REQUIRE(read.ok());
  return *read;
}

}  // namespace

TEST_CASE("a sound status is kept as it is", "[reported_status]") {
  const auto status = document::parse(R"({
    "conditions":[{"type":"Applied","status":"True","reason":"R","message":"m","lastTransitionTime":"2024-01-01T00:00:00Z",
                   "observedGeneration":3}],
    "resourceStatus":{"manifests":[{
      "resourceMeta":{"ordinal":0,"group":"apps","version":"v1","kind":"Deployment","resource":"deployments","name":"d","namespace":"n"},
      "conditions":[{"type":"Available","status":"True","reason":"R","message":"","lastTransitionTime":"2024-01-01T00:00:00Z"}],
      "statusFeedback":{"values":[{"name":"a","fieldValue":{"type":"Integer","integer":7}},
                                  {"name":"b","fieldValue":{"type":"Boolean","boolean":false}},
                                  {"name":"c","fieldValue":{"type":"JsonRaw","jsonRaw":"{}"}}]}}]}})");
  CHECK(cleaned(status) == status);
  CHECK(cleaned(document::object()) == document::object());
}

TEST_CASE("fields of other types, and fields that the API does not have, are left out", "[reported_status]") {
  const auto kept = cleaned(document::parse(R"({"more":1,
    "conditions":[{"type":"Applied","status":"True","reason":7,"message":{"a":1},"lastTransitionTime":"soon","observedGeneration":1.5,"x":1}],
    "resourceStatus":{"y":1,"manifests":["no",{"resourceMeta":{"ordinal":"x","kind":3,"name":"m"},"conditions":[3],
      "statusFeedback":{"values":[3,{"name":"n"},{"name":"i","fieldValue":{"type":"Integer","integer":18446744073709551615}}]}}]}})"));
  CHECK(kept == document::parse(R"({
    "conditions":[{"type":"Applied","status":"True","reason":"","message":"","lastTransitionTime":")" +
                                to_rfc3339(now) + R"("}],
    "resourceStatus":{"manifests":[{"resourceMeta":{"name":"m"},"conditions":[],
      "statusFeedback":{"values":[{"name":"i","fieldValue":{"type":"Integer"}}]}}]}})"));
}

TEST_CASE("what is no status is an error", "[reported_status]") {
  for (const char* text : {"", "[]", "1", R"({"conditions":{}})", R"({"conditions":[{"type":1,"status":"True"}]})",
                           R"({"conditions":["x"]})", R"({"resourceStatus":[]})"})
    CHECK_FALSE(read_reported_status(text, now).ok());
}
