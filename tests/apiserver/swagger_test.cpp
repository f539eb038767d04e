#include <catch2/catch.hpp>

#include "apiserver/openapi_v2.hpp"

using namespace wh;

TEST_CASE("a v3 schema as v2 has it", "[apiserver][openapi]") {
  const auto swagger = [](const char* v3) { return swagger_schema(*parse_json(v3)).dump(); };
  CHECK(swagger(R"({"type":"object","oneOf":[{}],"not":{},"properties":{"a":{"type":"string","anyOf":[]}}})") ==
        R"({"properties":{"a":{"type":"string"}},"type":"object"})");
  CHECK(swagger(R"({"allOf":[{"$ref":"#/components/schemas/A.b"}],"default":{}})") ==
        R"({"$ref":"#/definitions/A.b","default":{}})");
  CHECK(swagger(R"({"type":"array","nullable":true,"items":{"type":"string"}})") == "{}");
  CHECK(swagger(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{}}})") ==
        R"({"x-kubernetes-preserve-unknown-fields":true})");
  CHECK(swagger(R"({"x-kubernetes-int-or-string":true})") ==
        R"({"format":"int-or-string","type":"string","x-kubernetes-int-or-string":true})");
  CHECK(swagger(R"({"oneOf":[{"type":"string"},{"type":"number"}]})") == R"({"type":"string"})");
  CHECK(swagger(R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})") == "{}");
  CHECK(swagger(R"({"type":"array","items":{"$ref":"#/components/schemas/A"}})") ==
        R"({"items":{"$ref":"#/definitions/A"},"type":"array"})");
  CHECK(swagger("true") == "true");
  // What the server fills in, clients must not ask for.
  CHECK(swagger(R"({"required":["a","b"],"properties":{"a":{"type":"string","default":"x"},"b":{"type":"string"}}})") ==
        R"({"properties":{"a":{"default":"x","type":"string"},"b":{"type":"string"}},"required":["b"]})");
  CHECK(swagger(R"({"required":["a"],"properties":{"a":{"default":"x"}}})") ==
        R"({"properties":{"a":{"default":"x"}}})");
}

TEST_CASE("a swagger document in gnostic's protobuf, byte by byte", "[apiserver][openapi]") {
  const auto written =
      gnostic_schema(*parse_json(R"({"type":"array","minimum":1,"maxLength":300,"items":{"$ref":"B"},"x-k":1})"));
  const auto text = gnostic_protobuf(*parse_json(R"({"swagger":"2.0","info":{"title":"T","version":"V"},"paths":{}})"),
                                     {{"A", written}});
  const std::string schema = std::string("\xba\x01\x05\x0a\x03\x0a\x01") + "B" +         // 23 items {1 schema {1 $ref}}
                             "\x58\xac\x02" +                                            // 11 maxLength 300
                             std::string("\x49\0\0\0\0\0\0\xf0\x3f", 9) +                // 9 minimum 1.0
                             "\xb2\x01\x07\x0a\x05" + "array" +                          // 22 type {1}
                             "\xfa\x01\x0a\x0a\x03" + "x-k" + "\x12\x03\x12\x01" + "1";  // 31 {1 name, 2 {2 yaml}}
  const std::string named = std::string("\x0a\x01") + "A" + "\x12" + static_cast<char>(schema.size()) + schema;
  const std::string definitions = std::string("\x0a") + static_cast<char>(named.size()) + named;
  CHECK(text == std::string("\x0a\x03") + "2.0" + "\x12\x06\x0a\x01" + "T" + "\x12\x01" + "V" +
                    std::string("\x42\x00", 2) + "\x4a" + static_cast<char>(definitions.size()) + definitions);
}
