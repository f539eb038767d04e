#include "resources/schema.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

/// A resource whose spec has the given properties.
std::shared_ptr<const schema> with_spec(const char* properties, const char* more = "{}") {
  document spec = {{"type", "object"}, {"properties", document::parse(properties)}};
  spec.update(document::parse(more));
  auto compiled = schema::compile({{"type", "object"}, {"properties", {{"spec", spec}}}});
  INFO((compiled ? std::string() : compiled.err().message));
  REQUIRE(compiled.ok());
  return *compiled;
}

document object(const char* spec) {
  return {{"apiVersion", "v1"}, {"kind", "X"}, {"metadata", {{"name", "a"}}}, {"spec", document::parse(spec)}};
}

std::vector<std::string> complaints(const schema& s, const document& doc) {
  std::vector<std::string> out;
  for (const auto& e : s.validate(doc)) out.push_back(e.text());
  return out;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("type errors read as those of CustomResourceDefinitions", "[schema]") {
  const auto s = with_spec(
      R"({"n": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}}, "b": {"type": "boolean"}})");
  CHECK(complaints(*s, object(R"({"n": "x", "l": ["a", 1], "b": true})")) ==
        texts{"spec.l[1]: Invalid value: \"integer\": spec.l[1] in body must be of type string: \"integer\"",
              "spec.n: Invalid value: \"string\": spec.n in body must be of type integer: \"string\""});
  CHECK(complaints(*s, object(R"({"n": 2.0, "l": [], "b": false})")).empty());
  CHECK(complaints(*s, object(R"({"n": null})")) ==
        texts{"spec.n: Invalid value: \"null\": spec.n in body must be of type integer: \"null\""});
}

TEST_CASE("bounds, enums and required fields read as Kubernetes' do", "[schema]") {
  const auto s = with_spec(
      R"({"n": {"type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 10}, "e": {"type": "string", "enum": ["a", "b"]},
                               "t": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"},
                               "l": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer"}}, "r": {"type": "string"}})",
      R"({"required": ["r"]})");
  CHECK(complaints(*s, object(R"({"n": 0, "e": "x", "t": "ABCD", "l": []})")) ==
        texts{"spec.r: Required value", "spec.e: Unsupported value: \"x\": supported values: \"a\", \"b\"",
              "spec.l: Invalid value: 0: spec.l in body should have at least 1 items",
              "spec.n: Invalid value: 0: spec.n in body should be greater than 0",
              "spec.t: Too long: may not be more than 3 bytes",
              "spec.t: Invalid value: \"ABCD\": spec.t in body should match '^[a-z]+$'"});
  CHECK(complaints(*s, object(R"({"r": "", "n": 11, "l": [1,2,3], "t": "é"})")) ==
        texts{"spec.l: Too many: 3: must have at most 2 items",
              "spec.n: Invalid value: 11: spec.n in body should be less than or equal to 10",
              "spec.t: Invalid value: \"é\": spec.t in body should be at least 2 chars long",
              "spec.t: Invalid value: \"é\": spec.t in body should match '^[a-z]+$'"});
}

TEST_CASE("formats are checked, unknown ones are not", "[schema]") {
  const auto s = with_spec(
      R"({"i": {"type": "integer", "format": "int32"}, "t": {"type": "string", "format": "date-time"}, "b": {"type": "string", "format": "byte"},
                               "q": {"x-kubernetes-int-or-string": true, "format": "quantity"}, "ip": {"type": "string", "format": "ipv6"}, "x": {"type": "string", "format": "zip"},
                               "u": {"type": "string", "format": "uuid"}, "d": {"type": "string", "format": "duration"}, "c": {"type": "string", "format": "cidr"}})");
  CHECK(
      complaints(
          *s,
          object(
              R"({"i": -2147483648, "t": "2026-01-02T03:04:05Z", "b": "AAE=", "q": "1.5Gi", "ip": "fe80::1", "x": "?", "d": "1h30m", "c": "10.0.0.0/8",
                                  "u": "0f2b6a9e-5a0a-4b5e-9c4e-0d6a3a0e1f11"})"))
          .empty());
  CHECK(
      complaints(
          *s,
          object(
              R"({"i": 2147483648, "t": "noon", "b": "?", "q": "1.5Gx", "ip": "1::2::3", "d": "1", "c": "10.0.0.0/33", "u": "0f"})"))
          .size() == 8);
}

TEST_CASE("lists keyed by a map key refuse duplicates", "[schema]") {
  const auto s =
      with_spec(R"({"m": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                                     "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}}},
                               "s": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}})");
  CHECK(complaints(*s, object(R"({"m": [{"k":"a","v":1},{"k":"b"},{"k":"a","v":2}], "s": ["x","y","x"]})")) ==
        texts{"spec.m[2]: Duplicate value: {\"k\":\"a\"}", "spec.s[2]: Duplicate value: \"x\""});
}

TEST_CASE("combinations narrow values", "[schema]") {
  const auto s = with_spec(
      R"({"p": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string", "pattern": "%$"}]},
                               "one": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
                               "no": {"type": "integer", "not": {"minimum": 5}}, "all": {"type": "integer", "allOf": [{"minimum": 1}, {"maximum": 3}]}})");
  CHECK(complaints(*s, object(R"({"p": "25%", "one": {"a": 1}, "no": 4, "all": 2})")).empty());
  CHECK(
      complaints(*s, object(R"({"p": "25", "one": {"a": 1, "b": 2}, "no": 5, "all": 4})")) ==
      texts{
          "spec.all: Invalid value: 4: spec.all in body should be less than or equal to 3",
          "spec.no: Invalid value: 5: spec.no in body must not validate the schema (not)",
          "spec.one: Invalid value: {\"a\":1,\"b\":2}: spec.one in body must validate one and only one schema (oneOf). Found 2 valid",
          "spec.p: Invalid value: \"25\": spec.p in body must validate at least one schema (anyOf)"});
}

TEST_CASE("complaints stop at the asked number", "[schema]") {
  const auto s = with_spec(R"({"l": {"type": "array", "items": {"type": "integer"}}})");
  document doc = object(R"({"l": []})");
  for (int i = 0; i < 1000; ++i) doc["spec"]["l"].push_back("x");
  CHECK(s->validate(doc, 7).size() == 7);
}

TEST_CASE("defaults fill what is absent, into objects that are there", "[schema]") {
  const auto s = with_spec(
      R"({"a": {"type": "integer", "default": 3}, "o": {"type": "object", "properties": {"x": {"type": "string", "default": "d"}}},
                               "p": {"type": "object", "default": {}, "properties": {"y": {"type": "boolean", "default": true}}},
                               "l": {"type": "array", "items": {"type": "object", "properties": {"z": {"type": "string", "default": "e"}}}},
                               "m": {"type": "object", "additionalProperties": {"type": "object", "properties": {"w": {"type": "integer", "default": 1}}}},
                               "n": {"type": "string", "nullable": true, "default": "q"}})");
  auto doc = object(R"({"l": [{}], "m": {"k": {}}, "a": null, "n": null})");
  s->apply_defaults(doc);
  CHECK(doc["spec"] ==
        document::parse(R"({"a": 3, "p": {"y": true}, "l": [{"z": "e"}], "m": {"k": {"w": 1}}, "n": null})"));
}

TEST_CASE("pruning drops what no schema knows and says where it was", "[schema]") {
  const auto s = with_spec(
      R"({"a": {"type": "object", "properties": {"b": {"type": "string"}}}, "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                               "l": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}}, "m": {"type": "object", "additionalProperties": {"type": "string"}}})");
  auto doc = object(
      R"({"a": {"b": "1", "c": 2}, "free": {"any": {"thing": 1}}, "l": [{"k": "1", "j": 2}], "m": {"x": "y"}, "zz": 1})");
  doc["metadata"]["color"] = "red";
  doc["extra"] = 1;
  CHECK(s->prune(doc) == texts{"extra", "metadata.color", "spec.a.c", "spec.l[0].j", "spec.zz"});
  CHECK(doc["spec"] ==
        document::parse(R"({"a": {"b": "1"}, "free": {"any": {"thing": 1}}, "l": [{"k": "1"}], "m": {"x": "y"}})"));
  CHECK(doc["apiVersion"] == "v1");
}

TEST_CASE("metadata is typed in every kind", "[schema]") {
  const auto s = with_spec("{}");
  auto doc = object("{}");
  doc["metadata"]["labels"] = {{"a", 1}};
  doc["metadata"]["creationTimestamp"] = nullptr;
  CHECK(
      complaints(*s, doc) ==
      texts{
          "metadata.labels.a: Invalid value: \"integer\": metadata.labels.a in body must be of type string: \"integer\""});
  s->prune(doc);
  CHECK_FALSE(doc["metadata"].contains("creationTimestamp"));
}

TEST_CASE("an embedded resource has a typed metadata of its own", "[schema]") {
  const auto s = with_spec(
      R"({"t": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}})");
  auto doc = object(
      R"({"t": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "odd": 1}, "data": {"a": "b"}}})");
  CHECK(s->prune(doc) == texts{"spec.t.metadata.odd"});
  CHECK(complaints(*s, doc).empty());
  doc["spec"]["t"].erase("kind");
  CHECK(complaints(*s, doc) == texts{"spec.t.kind: Required value"});
}

TEST_CASE("a schema that knows nothing keeps everything", "[schema]") {
  const auto s = schema::anything();
  auto doc = object(R"({"x": {"y": [1, null]}})");
  const auto before = doc;
  CHECK(s->prune(doc).empty());
  s->apply_defaults(doc);
  CHECK(s->validate(doc).empty());
  CHECK(doc == before);
}

TEST_CASE("schemas that cannot be compiled say where", "[schema]") {
  const auto error_of = [](const char* text) { return schema::compile(document::parse(text)).err().message; };
  CHECK(error_of(R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"text"}}}}})") ==
        "a.b: type: Unsupported value: \"text\"");
  CHECK(error_of(R"({"type":"object","properties":{"a":{"$ref":"X"}}})") == "a: $ref: no definition X");
  CHECK(
      error_of(R"({"type":"object","properties":{"a":{"type":"string","pattern":"("}}})").starts_with("a: pattern: "));
  document deep = {{"type", "string"}};
  for (int i = 0; i < 150; ++i) deep = {{"type", "array"}, {"items", deep}};
  CHECK_FALSE(schema::compile(deep).ok());
}

TEST_CASE("the patterns of a schema are bounded together, and equal ones are kept once", "[schema]") {
  const auto many = [](bool different) {
    auto properties = document::object();
    for (int i = 0; i < 5000; ++i)
      properties["p" + std::to_string(i)] = {
          {"type", "string"}, {"pattern", "^(a|b){1,100}" + (different ? std::to_string(i) : std::string()) + "$"}};
    return schema::compile({{"type", "object"}, {"properties", std::move(properties)}});
  };
  CHECK(many(false).ok());
  const auto refused = many(true);
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.err().message, Catch::Contains("the patterns of this schema are too large together"));
}
