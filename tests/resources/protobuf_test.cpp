#include "resources/protobuf.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/random.hpp"

using namespace wh;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

const kind_registry& kinds() {
  static const auto all = [] {
    auto registry = std::make_unique<kind_registry>();
    add_builtin_kinds(*registry, kind_set::cluster);
    add_builtin_kinds(*registry, kind_set::hub);
    return registry;
  }();
  return *all;
}

kind_ptr kind_for(const document& doc) {
  const auto gv = split_api_version(api_version(doc));
  auto kind = kinds().find_kind(gv.group, gv.version, kind_of(doc));
  return kind ? kind : find_request_kind(gv.group, gv.version, kind_of(doc));
}

/// Both recordings as an API server understands them; when they were made is no part of it.
document understood(document doc) {
  const auto kind = kind_for(doc);
  REQUIRE(kind);
  CHECK(kind->structure->prune(doc).empty());
  if (doc.contains("status") && doc["status"].contains("conditions")) {
    for (auto& condition : doc["status"]["conditions"]) condition.erase("lastUpdateTime");
  }
  return doc;
}

std::string varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  return out + static_cast<char>(v);
}
std::string bytes_field(std::uint32_t number, const std::string& bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string number_field(std::uint32_t number, std::uint64_t value) { return varint(number << 3) + varint(value); }

std::string body(const std::string& api_version, const std::string& kind, const std::string& raw) {
  const auto meta = bytes_field(1, api_version) + bytes_field(2, kind);
  return std::string("k8s\0", 4) + bytes_field(1, meta) + bytes_field(2, raw);
}

std::string refusal(const std::string& bytes) {
  const auto doc = decode_protobuf(bytes, kinds());
  REQUIRE_FALSE(doc.ok());
  return doc.err().message;
}

}  // namespace

TEST_CASE("what kubectl 1.33 sends as protobuf is what 1.31 sent as JSON", "[protobuf]") {
  const std::filesystem::path fixtures = WH_FIXTURES;
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures / "kubectl-1.33")) {
    if (entry.path().extension() != ".pb") continue;
    INFO(entry.path().filename());
    const auto bytes = read_file(entry.path());
    CHECK(is_kubernetes_protobuf(bytes));
    const auto decoded = decode_protobuf(bytes, kinds());
    INFO((decoded ? std::string() : decoded.err().message));
    REQUIRE(decoded.ok());
    const auto json = parse_json(read_file((fixtures / "kubectl-1.31" / entry.path().stem()).string() + ".json"));
    REQUIRE(json.ok());
    CHECK(understood(*decoded).dump(1) == understood(*json).dump(1));
    ++seen;
  }
  CHECK(seen == 21);
}

TEST_CASE("a recorded object survives defaulting and validation", "[protobuf]") {
  for (const char* name :
       {"post-deployments", "post-cronjobs", "post-ingresses", "post-services", "post-rolebindings", "post-secrets"}) {
    INFO(name);
    auto doc = *decode_protobuf(read_file(std::string(WH_FIXTURES "/kubectl-1.33/") + name + ".pb"), kinds());
    const auto kind = kind_for(doc);
    kind->structure->apply_defaults(doc);
    for (const auto& e : kind->structure->validate(doc)) FAIL_CHECK(e.text());
  }
}

TEST_CASE("DeleteOptions are known under any version", "[protobuf]") {
  const auto raw = number_field(1, 0) + bytes_field(2, bytes_field(1, "u-1") + bytes_field(2, "7")) +
                   bytes_field(4, "Foreground") + bytes_field(5, "All");
  const auto doc = decode_protobuf(body("apps/v1", "DeleteOptions", raw), kinds());
  REQUIRE(doc.ok());
  CHECK(
      *doc ==
      document::parse(
          R"({"apiVersion":"apps/v1","kind":"DeleteOptions","gracePeriodSeconds":0,"preconditions":{"uid":"u-1","resourceVersion":"7"},
    "propagationPolicy":"Foreground","dryRun":["All"]})"));
}

TEST_CASE("times, negative numbers and wrapped types decode", "[protobuf]") {
  const auto seconds = static_cast<std::uint64_t>(1767323045);
  const auto time = number_field(1, seconds) + number_field(2, 123456789);
  const auto lease = bytes_field(1, bytes_field(1, "l") + bytes_field(8, number_field(1, seconds))) +
                     bytes_field(2, bytes_field(1, "me") + number_field(2, 60) + bytes_field(4, time));
  CHECK(
      *decode_protobuf(body("coordination.k8s.io/v1", "Lease", lease), kinds()) ==
      document::parse(
          R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","creationTimestamp":"2026-01-02T03:04:05Z"},
          "spec":{"holderIdentity":"me","leaseDurationSeconds":60,"renewTime":"2026-01-02T03:04:05.123456Z"}})"));
  const auto pc = number_field(2, static_cast<std::uint64_t>(-5));
  CHECK((*decode_protobuf(body("scheduling.k8s.io/v1", "PriorityClass", pc), kinds()))["value"] == -5);
  const auto revision = bytes_field(2, bytes_field(1, R"({"a":[1]})")) + number_field(3, 4);
  CHECK((*decode_protobuf(body("apps/v1", "ControllerRevision", revision), kinds()))["data"] ==
        document::parse(R"({"a":[1]})"));
}

TEST_CASE("unknown fields are skipped and pieces of a message are merged", "[protobuf]") {
  const auto raw = bytes_field(1, bytes_field(1, "a")) + number_field(900, 1) + bytes_field(901, "zz") +
                   bytes_field(1, bytes_field(3, "n"));
  CHECK((*decode_protobuf(body("v1", "ConfigMap", raw), kinds()))["metadata"] ==
        document::parse(R"({"name":"a","namespace":"n"})"));
}

TEST_CASE("malformed protobuf is refused by field", "[protobuf]") {
  CHECK(refusal("k8s").find("does not start") != std::string::npos);
  CHECK(refusal(body("v1", "Nope", "")) == "no kind \"Nope\" is registered for version \"v1\"");
  CHECK(refusal(body("v1", "ConfigMap", number_field(1, 3))) == "protobuf: metadata has the wrong wire type");
  CHECK(refusal(body("v1", "ConfigMap", bytes_field(1, bytes_field(1, "\xff")))) ==
        "protobuf: metadata.name is not UTF-8");
  CHECK(refusal(body("v1", "ConfigMap", bytes_field(1, "\x0a\x7f"))) ==
        "protobuf: metadata is cut short or no protobuf");
  CHECK(decode_protobuf(body("cluster.open-cluster-management.io/v1", "ManagedCluster", ""), kinds()).err().code ==
        errc::unsupported);
  const auto encoded = std::string("k8s\0", 4) + bytes_field(3, "gzip");
  CHECK(decode_protobuf(encoded, kinds()).err().code == errc::unsupported);
}

TEST_CASE("truncated and mutated bodies never do harm", "[protobuf]") {
  rng r(7);
  for (const auto& entry : std::filesystem::directory_iterator(WH_FIXTURES "/kubectl-1.33")) {
    if (entry.path().extension() != ".pb") continue;
    const auto bytes = read_file(entry.path());
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const auto ignored = decode_protobuf(bytes.substr(0, n), kinds());
      (void)ignored;
    }
    for (int i = 0; i < 300; ++i) {
      auto mutated = bytes;
      for (auto k = 1 + r.below(4); k > 0; --k) mutated[r.below(mutated.size())] = static_cast<char>(r.next());
      const auto decoded = decode_protobuf(mutated, kinds());
      if (decoded && decoded->is_object()) decoded->dump();
    }
  }
}
