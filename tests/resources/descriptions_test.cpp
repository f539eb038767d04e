#include <catch2/catch.hpp>

#include "resources/internal/descriptions.hpp"
#include "resources/kinds.hpp"

using namespace wh;

namespace {

document definition() {
  return document::parse(R"({"type":"object","properties":{
    "rules":{"type":"array","items":{"type":"object","properties":{"verbs":{"type":"array","items":{"type":"string"}}}}},
    "sets":{"type":"object","additionalProperties":{"type":"object","properties":{"size":{"type":"integer"}}}},
    "ref":{"$ref":"Other"}}})");
}

}  // namespace

TEST_CASE("a description goes to the place that its path names", "[kinds]") {
  auto doc = definition();
  CHECK(internal::describe(doc, ".", "all"));
  CHECK(internal::describe(doc, "rules", "a list"));
  CHECK(internal::describe(doc, "rules.verbs", "in its items"));
  CHECK(internal::describe(doc, "sets.size", "in a map's values"));
  CHECK(internal::describe(doc, "ref", "beside a reference"));
  CHECK(doc["description"] == "all");
  CHECK(doc["properties"]["rules"]["description"] == "a list");
  CHECK(doc["properties"]["rules"]["items"]["properties"]["verbs"]["description"] == "in its items");
  CHECK(doc["properties"]["sets"]["additionalProperties"]["properties"]["size"]["description"] == "in a map's values");
  CHECK(doc["properties"]["ref"]["description"] == "beside a reference");
}

TEST_CASE("a description of a place that is not there is refused", "[kinds]") {
  const auto before = definition();
  for (const char* path : {"rule", "rules.", "rules.verbs.x", "ref.inner", "", "..", "sets.size.deeper"}) {
    INFO(path);
    auto doc = before;
    CHECK_FALSE(internal::describe(doc, path, "lost"));
    CHECK(doc == before);
  }
}

TEST_CASE("a kind's schema tells what its fields mean", "[kinds]") {
  kind_registry kinds;
  add_builtin_kinds(kinds, kind_set::hub);
  const auto csr = kinds.find("certificates.k8s.io", "v1", "certificatesigningrequests");
  REQUIRE(csr);
  const auto schema = csr->structure->openapi();
  const auto spec = builtin_definition("io.k8s.api.certificates.v1.CertificateSigningRequestSpec");
  const auto status = builtin_definition("io.k8s.api.certificates.v1.CertificateSigningRequestStatus");
  const auto text = [](const document& at) { return at.value("description", ""); };
  CHECK(text(schema).starts_with("Asks for a client or serving certificate."));
  CHECK(text(schema["properties"]["spec"]) == "What is asked for; it cannot be changed.");
  CHECK(text(spec["properties"]["signerName"]).starts_with("Who is to sign"));
  // A field without words of its own has its definition's.
  CHECK(status["properties"]["conditions"]["items"].contains("$ref"));
  CHECK(text(builtin_definition("io.k8s.api.certificates.v1.CertificateSigningRequestCondition")) ==
        "A decision or a failure.");
}
