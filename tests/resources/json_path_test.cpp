#include <catch2/catch.hpp>

#include "resources/table.hpp"

using namespace wh;

namespace {

const document object = document::parse(R"({
  "metadata": {"labels": {"a.b/c": "dotted", "plain": "p"}},
  "status": {"conditions": [{"type": "Ready", "status": "True", "n": 1}, {"type": "Synced", "status": "False", "n": 2}]},
  "list": [10, 20, 30]})");

document at(const char* path) { return eval_json_path(object, path); }

}  // namespace

TEST_CASE("JSON paths reach members, quoted members and indexes", "[json_path]") {
  CHECK(at(".metadata.labels.plain") == "p");
  CHECK(at("{.metadata.labels.plain}") == "p");
  CHECK(at("$.metadata.labels.plain") == "p");
  CHECK(at(R"(.metadata.labels.a\.b/c)") == "dotted");
  CHECK(at(".metadata.labels['a.b/c']") == "dotted");
  CHECK(at(R"(.metadata.labels["a.b/c"])") == "dotted");
  CHECK(at(".list[1]") == 20);
  CHECK(at(".list[-1]") == 30);
  CHECK(at(".list[7]").is_null());
  CHECK(at(".nope.nope").is_null());
}

TEST_CASE("wildcards give all, filters the ones that hold", "[json_path]") {
  CHECK(at(".status.conditions[*].type") == document::parse(R"(["Ready","Synced"])"));
  CHECK(at(R"(.status.conditions[?(@.type=="Ready")].status)") == "True");
  CHECK(at(R"(.status.conditions[?(@.type!='Ready')].status)") == "False");
  CHECK(at(".status.conditions[?(@.n>1)].type") == "Synced");
  CHECK(at(".status.conditions[?(@.n)].type").size() == 2);
  CHECK(at(R"(.status.conditions[?( @.type == "Nope" )].status)").is_null());
}

TEST_CASE("a malformed JSON path finds nothing", "[json_path]") {
  for (const char* bad : {".a[", ".a[x]", ".a[?(b)]", ".a[?(@.x=]", "..a", ".a[?(@.x==[1])]", ".a['x", ".a]"}) {
    INFO(bad);
    CHECK(at(bad).is_null());
  }
}
