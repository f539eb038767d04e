#include <catch2/catch.hpp>

#include "base/random.hpp"
#include "resources/document.hpp"

using namespace wh;

namespace {

document one(std::string_view text) {
  const auto docs = parse_yaml(text);
  INFO((docs ? std::string() : docs.err().message));
  REQUIRE(docs.ok());
  REQUIRE(docs->size() == 1);
  return docs->front();
}

std::string yaml_error(std::string_view text, const parse_limits& limits = {}) {
  const auto docs = parse_yaml(text, limits);
  REQUIRE_FALSE(docs.ok());
  return docs.err().message;
}

document random_document(rng& r, int depth) {
  static const std::vector<std::string> texts = {"",      "a",      "yes",   "null",       "~",
                                                 "1",     "0x1f",   "1.5",   "true",       "a: b",
                                                 "- x",   "#c",     "a #b",  "two\nlines", "two\nlines\n",
                                                 " lead", "trail ", "tab\t", "é",          "{}",
                                                 "@x",    "1e3",    "\n",    "a\n\n",      "x\n  y\n",
                                                 "\"q\"", "'",      ":",     "a:",         "-",
                                                 "?",     "key: |", "%",     "2026-01-02", "\x01",
                                                 "<<",    "=",      "\\"};
  switch (r.below(depth > 0 ? 8 : 6)) {
    case 0: return nullptr;
    case 1: return r.chance(0.5);
    case 2: return static_cast<std::int64_t>(r.next() >> r.below(63));
    case 3: return -static_cast<std::int64_t>(r.below(1000));
    case 4: return 0.25 * static_cast<double>(r.below(1000)) + 0.125;
    case 5: return texts[r.below(texts.size())];
    case 6: {
      auto out = document::array();
      for (auto n = r.below(4); n > 0; --n) out.push_back(random_document(r, depth - 1));
      return out;
    }
    default: {
      auto out = document::object();
      for (auto n = r.below(4); n > 0; --n) out[texts[r.below(texts.size())]] = random_document(r, depth - 1);
      return out;
    }
  }
}

}  // namespace

TEST_CASE("plain scalars get their core type and quoted ones stay text", "[yaml]") {
  const auto doc = one(
      "a: yes\nb: \"1\"\nc: 0x1F\nd: 0o17\ne: 0644\nf: ~\ng: true\nh: 1.5\ni: .5\nj: 1e3\nk: '~'\nl: 08\nm: on\nn: -3\no: +4\np:\n");
  CHECK(doc == document::parse(R"({"a":"yes","b":"1","c":31,"d":15,"e":420,"f":null,"g":true,"h":1.5,"i":0.5,"j":1000.0,
    "k":"~","l":8,"m":"on","n":-3,"o":4,"p":null})"));
}

TEST_CASE("tags decide over looks", "[yaml]") {
  CHECK(one("a: !!str 1\nb: !!float 2\nc: !!int 3\nd: ! 5") == document::parse(R"({"a":"1","b":2.0,"c":3,"d":"5"})"));
  CHECK(yaml_error("a: !!int x").find("line 1, column 4") != std::string::npos);
  CHECK(yaml_error("a: !local x").find("not supported") != std::string::npos);
}

TEST_CASE("numbers without a JSON value are refused with a hint", "[yaml]") {
  CHECK(yaml_error("a:\n  b: 99999999999999999999") ==
        "YAML line 2, column 6: integer 99999999999999999999 does not fit 64 bits; quote it if it is text");
  CHECK(yaml_error("a: .inf").find("no JSON value") != std::string::npos);
  CHECK(yaml_error("a: 12e4567").find("out of range") != std::string::npos);
  CHECK(one("a: 18446744073709551615\nb: -9223372036854775808")["b"] == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("several documents come apart and empty ones are skipped", "[yaml]") {
  const auto docs = parse_yaml("# nothing\n---\n---\na: 1\n---\n# again nothing\n---\nb: 2\n...\n");
  REQUIRE(docs.ok());
  REQUIRE(docs->size() == 2);
  CHECK((*docs)[1]["b"] == 2);
  CHECK(parse_yaml("").value().empty());
}

TEST_CASE("duplicate keys are refused at their place", "[yaml]") {
  CHECK(yaml_error("a: 1\nb:\n  c: 1\n  c: 2\n") == "YAML line 4, column 3: duplicate key \"c\"");
}

TEST_CASE("broken YAML names line and column", "[yaml]") {
  CHECK(yaml_error("a: [1\nb: 2\n").starts_with("YAML line "));
  CHECK(yaml_error("a: \"x\n").starts_with("YAML line "));
  CHECK(yaml_error("a: *nowhere\n").starts_with("YAML line 1"));
  CHECK(yaml_error("a: \xff\n").find("UTF-8") != std::string::npos);
  CHECK(yaml_error(std::string_view("a: 1\nb: \0\0", 9)) ==
        "YAML line 2, column 4: control characters must be escaped");
  CHECK(yaml_error("? [a]\n: b\n").find("scalar") != std::string::npos);
}

TEST_CASE("aliases and merge keys are unfolded", "[yaml]") {
  const auto doc = one("base: &b {x: 1, y: [2]}\ncopy: *b\nmerged:\n  <<: *b\n  x: 9\nboth:\n  <<: [*b, {z: 3}]\n");
  CHECK(doc["copy"] == doc["base"]);
  CHECK(doc["merged"] == document::parse(R"({"x":9,"y":[2]})"));
  CHECK(doc["both"] == document::parse(R"({"x":1,"y":[2],"z":3})"));
  CHECK(yaml_error("a: &a [*a]").starts_with("YAML line 1"));
  CHECK(yaml_error("a:\n  <<: 3").find("merges mappings only") != std::string::npos);
}

TEST_CASE("an alias bomb stops at the node limit", "[yaml]") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  CHECK(yaml_error(bomb).find("nodes once aliases are unfolded") != std::string::npos);
  const std::string long_text(200'000, 'x');
  std::string fat = "a: &a " + long_text + "\nb: [";
  for (int i = 0; i < 200; ++i) fat += i ? ", *a" : "*a";
  CHECK(yaml_error(fat + "]").find("too much text") != std::string::npos);
}

TEST_CASE("aliases cannot nest deeper than the limit", "[yaml]") {
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 200; ++i)
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(yaml_error(deep).find("nested deeper than 128") != std::string::npos);
  CHECK(yaml_error(std::string(100'000, '[')).starts_with("YAML"));
  CHECK(yaml_error(std::string(100'000, '{')).starts_with("YAML"));
}

TEST_CASE("JSON is accepted as YAML, surrogate pairs included", "[yaml]") {
  CHECK(one(R"({"a": "\ud83d\ude00", "b": [1, "2"]})")["a"] == "\xf0\x9f\x98\x80");
  CHECK(yaml_error(R"({"a": 1, "a": 2})").find("duplicate key") != std::string::npos);
  CHECK(one("{a: b}")["a"] == "b");
}

TEST_CASE("YAML is written as kubectl lays it out", "[yaml]") {
  const document doc = {{"apiVersion", "v1"},
                        {"data", {{"size", "1"}, {"text", "two\nlines\n"}, {"yes", "on"}}},
                        {"empty", document::object()},
                        {"list", {{{"a", 1}, {"b", {1, 2}}}, "x", document::array({"deep"})}}};
  CHECK(to_yaml(doc) ==
        "apiVersion: v1\n"
        "data:\n"
        "  size: \"1\"\n"
        "  text: |\n"
        "    two\n"
        "    lines\n"
        "  \"yes\": \"on\"\n"
        "empty: {}\n"
        "list:\n"
        "- a: 1\n"
        "  b:\n"
        "  - 1\n"
        "  - 2\n"
        "- x\n"
        "- - deep\n");
}

TEST_CASE("a delete character is escaped, which JSON would not ask for", "[yaml]") {
  const document doc = {{"k\x7f", "v\x7f\x7f"}};
  CHECK(to_yaml(doc) == "\"k\\u007f\": \"v\\u007f\\u007f\"\n");
  CHECK(parse_yaml(to_yaml(doc))->front() == doc);
}

TEST_CASE("what is written as YAML reads back the same", "[yaml]") {
  rng r(20260102);
  for (int i = 0; i < 3000; ++i) {
    const document doc = {{"x", random_document(r, 4)}};
    const auto text = to_yaml(doc);
    const auto back = parse_yaml(text);
    INFO(text);
    REQUIRE(back.ok());
    REQUIRE(back->size() == 1);
    REQUIRE(back->front() == doc);
  }
}
