#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* maps = "/api/v1/namespaces/n/configmaps";
constexpr const char* works = "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks";

}  // namespace

TEST_CASE("a key that comes twice is told, refused or let pass as fieldValidation says", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  const auto dry = std::string(maps) + "?dryRun=All";
  const std::string twice = R"({"metadata":{"name":"d","name":"e"},"data":{"a":"1","a":"2"}})";
  auto r = f.call("POST", dry, twice, {});
  CHECK(r.code == 201);
  CHECK(r.json["metadata"]["name"] == "e");
  CHECK(r.json["data"]["a"] == "2");
  CHECK(r.headers["Warning"] == R"(299 - "duplicate field \"metadata.name\"", 299 - "duplicate field \"data.a\"")");
  r = f.call("POST", dry + "&fieldValidation=Strict", twice, {});
  CHECK(r.code == 400);
  CHECK_THAT(std::string(r.json["message"]),
             Catch::EndsWith(R"(strict decoding error: duplicate field "metadata.name", duplicate field "data.a")"));
  r = f.call("POST", dry + "&fieldValidation=Ignore", twice, {});
  CHECK(r.code == 201);
  CHECK(r.headers.count("Warning") == 0);
}

TEST_CASE("bodies come in JSON and YAML; other encodings are refused", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  CHECK(f.call("POST", maps, "metadata:\n  name: y\ndata:\n  k: 'yes'\n", {.content_type = "application/yaml"}).code ==
        201);
  CHECK(f.call("POST", maps, "{}", {.content_type = "application/cbor"}).code == 415);
  CHECK(f.call("POST", maps, "{", {}).code == 400);
  CHECK(f.call("GET", std::string(maps) + "/y", {}, {.accept = "application/cbor"}).code == 406);
  auto yaml = f.call("GET", std::string(maps) + "/y", {}, {.accept = "application/yaml"});
  CHECK(yaml.headers["Content-Type"] == "application/yaml");
  CHECK((*parse_yaml(yaml.text))[0]["data"]["k"] == "yes");
}

namespace {

std::string field(int number, const std::string& bytes) {
  REQUIRE(bytes.size() < 128);
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

/// Kubernetes' protobuf envelope: a magic number and a runtime.Unknown.
std::string envelope(const std::string& version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + field(1, field(1, version) + field(2, kind)) + field(2, raw);
}

}  // namespace

TEST_CASE("client-go's protobuf bodies are understood", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  const extras protobuf{.accept = "application/vnd.kubernetes.protobuf,application/json",
                        .content_type = "application/vnd.kubernetes.protobuf"};
  auto map = field(1, field(1, "p")) + field(2, field(1, "k") + field(2, "v"));
  auto made = f.call("POST", maps, envelope("v1", "ConfigMap", map), protobuf);
  REQUIRE(made.code == 201);
  CHECK(made.json["data"]["k"] == "v");
  CHECK(f.call("POST", maps, envelope("v1", "Secret", map), protobuf).code == 400);
  CHECK(f.call("POST", maps, "k8s", protobuf).code == 400);
  auto target = std::string(maps) + "/p";
  auto foreground = envelope("v1", "DeleteOptions", field(4, "Foreground"));
  CHECK(has_finalizer(f.call("DELETE", target, foreground, protobuf).json, "foregroundDeletion"));
}

TEST_CASE("methods that a path does not have are 405", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  for (auto [method, target] :
       std::vector<std::pair<std::string, std::string>>{{"POST", std::string(maps) + "/a"},
                                                        {"PUT", maps},
                                                        {"PATCH", maps},
                                                        {"DELETE", std::string(works) + "/w/status"},
                                                        {"POST", "/version"},
                                                        {"DELETE", "/api/v1/configmaps"},
                                                        {"BREW", maps}}) {
    INFO(method << " " << target);
    CHECK(f.call(method, target).code == 405);
  }
}

TEST_CASE("a draining server takes no new requests but still tells its health", "[apiserver]") {
  api_fixture f;
  f.server->drain();
  auto r = f.get("/api/v1/namespaces");
  CHECK(r.code == 503);
  CHECK(r.reason() == "ServiceUnavailable");
  CHECK(r.headers["Retry-After"] == "1");
  CHECK(f.get("/readyz").code == 503);
  CHECK(f.get("/livez").code == 200);
}

TEST_CASE("requests are counted by verb, resource and code", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.get("/api/v1/nonsense/x");
  f.get("/made/up");
  std::vector<std::string> seen;
  for (const auto& c : f.server->counts()) seen.push_back(c.verb + " " + c.resource + " " + std::to_string(c.code));
  CHECK(seen == std::vector<std::string>{"create namespaces 201", "get other 404"});
}
