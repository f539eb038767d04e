#include "resources/document.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

std::string json_error(std::string_view text, const parse_limits& limits = {}) {
  const auto parsed = parse_json(text, limits);
  REQUIRE_FALSE(parsed.ok());
  return parsed.err().message;
}

document sample() {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", "a"}, {"namespace", "n"}, {"resourceVersion", "7"}, {"labels", {{"x", "y"}}}}},
          {"data", {{"k", "v\n\"q\""}}}};
}

const instant noon = *parse_rfc3339("2026-01-02T12:00:00Z");
const instant later = *parse_rfc3339("2026-01-02T12:05:00Z");

}  // namespace

TEST_CASE("strict JSON gives the values that were written", "[document]") {
  const auto doc = parse_json(
      R"( {"a": [1, -2, 1.5, 1e3, true, null], "b": {"c": "\u00e9\ud83d\ude00"}, "u": 18446744073709551615} )");
  REQUIRE(doc.ok());
  CHECK((*doc)["a"].dump() == "[1,-2,1.5,1000.0,true,null]");
  CHECK((*doc)["b"]["c"] == "\xc3\xa9\xf0\x9f\x98\x80");
  CHECK((*doc)["u"].get<std::uint64_t>() == 18446744073709551615ULL);
}

TEST_CASE("duplicate keys are found by path, and the last value counts", "[document]") {
  std::vector<std::string> duplicates;
  const auto doc = parse_json_with_duplicates(
      R"({"a":{"x":1},"l":[{"k":1},{"k":{"m":1,"m":2},"k":3}],"a":{"y":1,"y":2},"z":[[{"q":1,"q":1}]]})", duplicates);
  REQUIRE(doc.ok());
  CHECK(doc->dump() == R"({"a":{"y":2},"l":[{"k":1},{"k":3}],"z":[[{"q":1}]]})");
  CHECK(duplicates == std::vector<std::string>{"l[1].k.m", "l[1].k", "a", "a.y", "z[0][0].q"});
  CHECK_FALSE(parse_json_with_duplicates(R"({"a":1,"a":})", duplicates).ok());
}

TEST_CASE("a duplicate key is refused at its line and column", "[document]") {
  CHECK(json_error("{\"a\": 1,\n  \"b\": {\"c\": 1, \"c\": 2}}") == "JSON line 2, column 17: duplicate key \"c\"");
  CHECK(parse_json(R"([{"a":1},{"a":1}])").ok());
}

TEST_CASE("malformed JSON names line and column", "[document]") {
  CHECK(json_error("{\n \"a\": tru }").starts_with("JSON line 2, column 10: "));
  CHECK(json_error("").starts_with("JSON line 1, column 1: "));
  CHECK(json_error("{} x").find("line 1, column 4") != std::string::npos);
  CHECK(json_error("\"\xff\"").find("UTF-8") != std::string::npos);
  CHECK(json_error("[NaN]").starts_with("JSON line 1"));
  CHECK(json_error("{'a': 1}").starts_with("JSON line 1"));
  CHECK(json_error("[1,]").starts_with("JSON line 1"));
}

TEST_CASE("numbers that fit no type are refused", "[document]") {
  CHECK(json_error("[18446744073709551616]").find("does not fit 64 bits") != std::string::npos);
  CHECK(json_error("[-9223372036854775809]").find("does not fit 64 bits") != std::string::npos);
  CHECK(json_error("[1e400]").find("number overflow") != std::string::npos);
}

TEST_CASE("JSON deeper or longer than the limits is refused", "[document]") {
  const parse_limits tight{.depth_max = 3, .bytes_max = 100};
  CHECK(parse_json("[[[1]]]", tight).ok());
  CHECK(json_error("[[[[1]]]]", tight) == "JSON line 1, column 4: nested deeper than 3");
  CHECK(parse_json(std::string(101, ' '), tight).err().code == errc::too_large);
  CHECK(json_error(std::string(1'000'000, '[')).find("nested deeper than 128") != std::string::npos);
}

TEST_CASE("a stored body starts with metadata and carries no resourceVersion", "[document]") {
  const auto body = encode_body(sample());
  CHECK(body->starts_with(R"({"metadata":{)"));
  CHECK(body->find("resourceVersion") == std::string::npos);
}

TEST_CASE("render puts the revision in and gives the same object as decode", "[document]") {
  for (auto doc : {sample(), document{{"kind", "X"}}, document{{"metadata", document::object()}, {"z", 1}}}) {
    const auto body = encode_body(doc);
    const auto text = render(*body, revision(42));
    const auto rendered = document::parse(text);
    CHECK(rendered["metadata"]["resourceVersion"] == "42");
    CHECK(rendered == *decode_body(*body, revision(42)));
    CHECK(render(*body, revision(0)) == *body);
  }
}

TEST_CASE("a stored body that is no object is corrupt", "[document]") {
  CHECK(decode_body("{").err().code == errc::corrupt);
  CHECK(decode_body("[]").err().code == errc::corrupt);
  const record broken{
      .key = {.resource = "configmaps", .ns = "n", .name = "a"}, .rev = revision(1), .body = share("?")};
  CHECK(decode_record(broken).err().message.starts_with("configmaps/n/a: "));
}

TEST_CASE("metadata is read by reference and absent is empty", "[document]") {
  const auto doc = sample();
  CHECK(name_of(doc) == "a");
  CHECK(namespace_of(doc) == "n");
  CHECK(label_of(doc, "x") == "y");
  CHECK(uid_of(doc).empty());
  CHECK(generation_of(doc) == generation(0));
  CHECK_FALSE(is_deleting(doc));
  CHECK(name_of(document("text")).empty());
  CHECK(int_at(doc, {"data", "k"}, 5) == 5);
  CHECK(split_api_version("apps/v1").group == "apps");
  CHECK(split_api_version("v1").version == "v1");
}

TEST_CASE("finalizers are added once and the empty list goes", "[document]") {
  auto doc = sample();
  add_finalizer(doc, "a.example/f");
  add_finalizer(doc, "a.example/f");
  CHECK(doc["metadata"]["finalizers"].size() == 1);
  CHECK(has_finalizer(doc, "a.example/f"));
  remove_finalizer(doc, "a.example/other");
  CHECK(has_finalizer(doc, "a.example/f"));
  remove_finalizer(doc, "a.example/f");
  CHECK_FALSE(doc["metadata"].contains("finalizers"));
}

TEST_CASE("a condition's transition time moves only with its status", "[document]") {
  document list;
  CHECK(set_condition(
      list, {.type = "Ready", .status = "True", .reason = "A", .message = "m", .observed = generation(3)}, noon));
  CHECK(list[0]["lastTransitionTime"] == "2026-01-02T12:00:00Z");
  CHECK_FALSE(set_condition(
      list, {.type = "Ready", .status = "True", .reason = "A", .message = "m", .observed = generation(3)}, later));
  CHECK(set_condition(
      list, {.type = "Ready", .status = "True", .reason = "B", .message = "m", .observed = generation(4)}, later));
  CHECK(list[0]["lastTransitionTime"] == "2026-01-02T12:00:00Z");
  CHECK(list[0]["observedGeneration"] == 4);
  CHECK(
      set_condition(list, {.type = "Ready", .status = "False", .reason = "B", .message = "m", .observed = {}}, later));
  CHECK(list[0]["lastTransitionTime"] == "2026-01-02T12:05:00Z");
  CHECK_FALSE(list[0].contains("observedGeneration"));
  CHECK(list.size() == 1);
}

TEST_CASE("conditions are found and removed by type", "[document]") {
  document doc = {{"status", {{"conditions", document::array()}}}};
  auto& list = doc["status"]["conditions"];
  set_condition(list, {.type = "A", .status = "True", .reason = "R", .message = "", .observed = {}}, noon);
  CHECK(condition_status(doc, "A") == "True");
  CHECK(condition_status(doc, "B").empty());
  CHECK(remove_condition(list, "A"));
  CHECK_FALSE(remove_condition(list, "A"));
}
