#include <catch2/catch.hpp>

#include "resources/apply/field_set.hpp"

using namespace wh;
using namespace wh::apply;

namespace {

field_set set_of(const std::string& json) {
  const auto doc = parse_json(json);
  REQUIRE(doc);
  auto out = parse_fields_v1(*doc);
  REQUIRE(out);
  return *out;
}

std::vector<std::string> lines(const field_set& s) {
  std::vector<std::string> out;
  for_each_path(s, [&](const apply::path& p) { out.push_back(text_of(p)); });
  return out;
}

}  // namespace

TEST_CASE("FieldsV1 is read and written as Kubernetes writes it", "[apply]") {
  const char* texts[] = {
      R"({})",
      R"({"f:data":{}})",
      R"({"f:data":{".":{},"f:k":{}}})",
      R"({"f:metadata":{"f:labels":{".":{},"f:app.kubernetes.io/name":{}}},"f:spec":{"f:replicas":{}}})",
      R"({"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:image":{},"f:name":{}}}}})",
      R"({"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{},"k:{\"port\":443,\"protocol\":\"TCP\"}":{}}})",
      R"({"f:set":{"v:1":{},"v:2.5":{},"v:10":{},"v:\"a\"":{},"v:true":{}}})",
      R"({"f:list":{"i:0":{},"i:3":{}}})",
      R"({"f:finalizers":{"v:\"a\\u003cb\\u0026c\\u003e\"":{}}})",
  };
  for (const auto* text : texts) {
    INFO(text);
    const auto set = set_of(text);
    CHECK(fields_v1_text(set) == text);
    CHECK(fields_v1_of(set) == document::parse(text));
  }
}

TEST_CASE("paths read as people write them", "[apply]") {
  const auto set = set_of(
      R"({"f:spec":{"f:containers":{"k:{\"name\":\"a\",\"port\":80}":{".":{},"f:image":{}}},"f:set":{"v:\"x\"":{}}}})");
  CHECK(lines(set) == std::vector<std::string>{".spec.containers[name=\"a\",port=80]",
                                               ".spec.containers[name=\"a\",port=80].image", ".spec.set[=\"x\"]"});
}

TEST_CASE("field sets that are none are refused with a reason", "[apply]") {
  struct row {
    const char* text;
    errc code;
    const char* message;
  };
  const row rows[] = {
      {R"([])", errc::malformed, "fieldsV1: must be an object"},
      {R"({"f:a":1})", errc::malformed, "fieldsV1: must be an object"},
      {R"({"data":{}})", errc::malformed, "fieldsV1: a field must start with f:, k:, v: or i:, found \"data\""},
      {R"({"f":{}})", errc::malformed, "fieldsV1: a field must start with f:, k:, v: or i:, found \"f\""},
      {R"({"k:[]":{}})", errc::malformed, "fieldsV1: k: must be followed by an object"},
      {R"({"i:one":{}})", errc::malformed, "fieldsV1: i: must be a number"},
  };
  for (const auto& r : rows) {
    INFO(r.text);
    const auto set = parse_fields_v1(document::parse(r.text));
    REQUIRE_FALSE(set);
    CHECK(set.err().code == r.code);
    CHECK(set.err().message == r.message);
  }
  CHECK(parse_fields_v1(document::parse(R"({"k:{\"name\":":{}})")).err().code == errc::malformed);
  CHECK(set_of(R"({"x:later":{},"f:a":{}})") == set_of(R"({"f:a":{}})"));
}

TEST_CASE("field sets from outside are bounded in depth and size", "[apply]") {
  const auto doc = document::parse(R"({"f:a":{"f:b":{"f:c":{}}}})");
  CHECK(parse_fields_v1(doc, {.depth_max = 3, .elements_max = 3}));
  CHECK(parse_fields_v1(doc, {.depth_max = 2, .elements_max = 3}).err().code == errc::too_large);
  CHECK(parse_fields_v1(doc, {.depth_max = 3, .elements_max = 2}).err().code == errc::too_large);
}

TEST_CASE("sets unite, meet and differ by whole paths", "[apply]") {
  const auto a = set_of(R"({"f:m":{".":{},"f:x":{},"f:y":{}},"f:only":{}})");
  const auto b = set_of(R"({"f:m":{"f:y":{},"f:z":{}},"f:other":{}})");
  CHECK(fields_v1_text(union_of(a, b)) == R"({"f:m":{".":{},"f:x":{},"f:y":{},"f:z":{}},"f:only":{},"f:other":{}})");
  CHECK(fields_v1_text(intersection_of(a, b)) == R"({"f:m":{"f:y":{}}})");
  CHECK(fields_v1_text(difference_of(a, b)) == R"({"f:m":{".":{},"f:x":{}},"f:only":{}})");
  CHECK(fields_v1_text(leaves_of(a)) == R"({"f:m":{"f:x":{},"f:y":{}},"f:only":{}})");
  // A difference takes single paths, without() takes everything that leads through them.
  const auto m = set_of(R"({"f:m":{}})");
  CHECK(fields_v1_text(difference_of(a, m)) == R"({"f:m":{"f:x":{},"f:y":{}},"f:only":{}})");
  CHECK(fields_v1_text(without(a, m)) == R"({"f:only":{}})");
  CHECK(a.size() == 4);
  CHECK(union_of(a, field_set()) == a);
  CHECK(difference_of(a, a).empty());
}

TEST_CASE("numbers in paths are one whatever their JSON type", "[apply]") {
  CHECK(set_of(R"({"f:p":{"v:1":{},"v:1.0":{}}})").size() == 1);
  CHECK(set_of(R"({"f:p":{"k:{\"port\":80}":{},"k:{\"port\":8.0e1}":{}}})").size() == 1);
}

TEST_CASE("large sets in any order are read in reasonable time", "[apply]") {
  document fields = document::object();
  for (int i = 0; i < 90'000; ++i) fields["v:" + std::to_string(i)] = document::object();
  const auto set = parse_fields_v1(fields);
  REQUIRE(set);
  CHECK(set->size() == 90'000);
  CHECK(fields_v1_of(*set) == fields);
}
