#include <catch2/catch.hpp>

#include "resources/kinds.hpp"

using namespace wh;

namespace {

document crd() {
  return document::parse(
      R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.shop.example"},
    "spec":{"group":"shop.example","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget","shortNames":["wd"],"categories":["all"]},
    "versions":[
      {"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
       "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer","default":1}}},"status":{"type":"object"}}}},
       "additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size"}]},
      {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
      {"name":"v0","served":false,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
}

std::string refusal(const document& doc) {
  const auto kinds = kinds_of_crd(doc);
  REQUIRE_FALSE(kinds.ok());
  CHECK(kinds.err().code == errc::invalid);
  return kinds.err().message;
}

/// Why a schema for spec.x is refused.
std::string schema_refusal(const char* x) {
  auto doc = crd();
  doc["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] = document::parse(x);
  return refusal(doc);
}

constexpr auto at_x = "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[x]";

}  // namespace

TEST_CASE("a CustomResourceDefinition gives a kind per served version", "[crd]") {
  const auto kinds = kinds_of_crd(crd());
  REQUIRE(kinds.ok());
  REQUIRE(kinds->size() == 2);
  const auto& v1 = kinds->front();
  CHECK(v1.group_resource() == "widgets.shop.example");
  CHECK(v1.list_kind == "WidgetList");
  CHECK(v1.singular == "widget");
  CHECK(v1.namespaced);
  CHECK(v1.has_status);
  CHECK(v1.storage);
  CHECK(v1.from_crd);
  CHECK(v1.columns.at(0).json_path == ".spec.size");
  CHECK_FALSE(kinds->back().has_status);
  CHECK(kinds->back().columns.at(0).name == "Age");
  auto object = document::parse(
      R"({"apiVersion":"shop.example/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"color":"red"}})");
  v1.structure->apply_defaults(object);
  CHECK(object["spec"]["size"] == 1);
  CHECK(v1.structure->prune(object) == std::vector<std::string>{"spec.color"});
}

TEST_CASE("a storage version that is not served leaves the first served one in its place", "[crd]") {
  auto doc = crd();
  doc["spec"]["versions"][0]["served"] = false;
  const auto kinds = kinds_of_crd(doc);
  REQUIRE(kinds.ok());
  CHECK(kinds->front().version == "v1beta1");
  CHECK(kinds->front().storage);
}

TEST_CASE("wrong names are refused by field", "[crd]") {
  auto doc = crd();
  doc["metadata"]["name"] = "widgets";
  CHECK(refusal(doc) == "metadata.name: Invalid value: \"widgets\": must be spec.names.plural+\".\"+spec.group");
  doc = crd();
  doc["spec"]["group"] = "shop";
  CHECK(refusal(doc).find("spec.group: Invalid value: \"shop\": should be a domain with at least one dot") !=
        std::string::npos);
  doc = crd();
  doc["spec"]["names"].erase("kind");
  CHECK(refusal(doc) == "spec.names.kind: Required value");
  doc = crd();
  doc["spec"]["scope"] = "Galaxy";
  CHECK(refusal(doc) == "spec.scope: Unsupported value: \"Galaxy\": supported values: \"Cluster\", \"Namespaced\"");
}

TEST_CASE("exactly one version is stored and names are unique", "[crd]") {
  auto doc = crd();
  doc["spec"]["versions"][1]["storage"] = true;
  CHECK(refusal(doc).find("exactly one version marked as storage version") != std::string::npos);
  doc = crd();
  doc["spec"]["versions"][1]["name"] = "v1";
  CHECK(refusal(doc) == "spec.versions: Duplicate value: \"v1\"");
  doc = crd();
  doc["spec"]["versions"] = document::array();
  CHECK(refusal(doc).find("spec.versions: Required value") != std::string::npos);
  doc = crd();
  doc["spec"]["versions"][0].erase("schema");
  CHECK(refusal(doc).find("spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required") !=
        std::string::npos);
}

TEST_CASE("schemas must be structural", "[crd]") {
  const std::string at = at_x;
  CHECK(schema_refusal("{}") == at + ".type: Required value: must not be empty for specified object fields");
  CHECK(schema_refusal(R"({"type":"text"})").find("Unsupported value: \"text\"") != std::string::npos);
  CHECK(schema_refusal(R"({"type":"array"})") == at + ".items: Required value: must be specified");
  CHECK(schema_refusal(R"({"type":"object","properties":{},"additionalProperties":{"type":"string"}})") ==
        at + ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive");
  CHECK(schema_refusal(R"({"type":"string","$ref":"#/x"})") == at + ".$ref: Forbidden: is not supported");
  CHECK(schema_refusal(R"({"type":"integer","x-kubernetes-int-or-string":true})").find("must be empty") !=
        std::string::npos);
  CHECK(schema_refusal(R"({"type":"string","pattern":"("})").find(at + ".pattern: Invalid value: \"(\"") == 0);
  CHECK(schema_refusal(R"({"type":"integer","default":"x"})").find(at + ".default") == 0);
  CHECK(schema_refusal(R"({"type":"object","properties":{"a":{"type":"string"}},"default":{"b":1}})")
            .find("must not have unknown fields: b") != std::string::npos);
  CHECK(schema_refusal(R"({"type":"object","anyOf":[{"type":"string"}]})") ==
        at + ".anyOf[0].type: Forbidden: must be empty to be structural");
  CHECK(
      schema_refusal(
          R"({"type":"array","items":{"type":"object","properties":{"k":{"type":"string"}}},"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"]})")
          .find("must have a default or be a required property") != std::string::npos);
  CHECK(schema_refusal(
            R"({"type":"array","items":[1],"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"]})")
            .find("items") != std::string::npos);
  CHECK(schema_refusal("[1]") == at + ": Invalid value: [1]: must be an object");
  CHECK(
      schema_refusal(R"({"type":"object","x-kubernetes-embedded-resource":true})").find("properties: Required value") !=
      std::string::npos);
}

TEST_CASE("int-or-string may name both types in anyOf", "[crd]") {
  auto doc = crd();
  doc["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] =
      document::parse(R"({"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]})");
  CHECK(kinds_of_crd(doc).ok());
}

TEST_CASE("printer columns must have a JSON path that parses", "[crd]") {
  auto doc = crd();
  auto& column = doc["spec"]["versions"][0]["additionalPrinterColumns"][0];
  column["jsonPath"] = "spec.size";
  CHECK(refusal(doc).find("must be a simple json path starting with .") != std::string::npos);
  column["jsonPath"] = ".spec[";
  CHECK(refusal(doc).find("additionalPrinterColumns[0].jsonPath") != std::string::npos);
  column["type"] = "blob";
  CHECK(refusal(doc).find("Unsupported value: \"blob\"") != std::string::npos);
}

TEST_CASE("a document of the wrong shape is refused, not believed", "[crd]") {
  for (const char* odd :
       {"{}", "[]", "null", R"({"spec":7})", R"({"spec":{"versions":{"a":1}}})",
        R"({"spec":{"versions":[1,"x",null]}})",
        R"({"spec":{"versions":[{"schema":{"openAPIV3Schema":5},"additionalPrinterColumns":[1]}]}})"}) {
    INFO(odd);
    CHECK_FALSE(kinds_of_crd(document::parse(odd)).ok());
  }
}
