#include "nodes/ctl/manifests.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "nodes/common/files.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

namespace {

const std::string config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n";

std::string message_of(const std::string& text) {
  const auto parsed = parse_manifests(text, "web.yaml");
  REQUIRE_FALSE(parsed);
  return parsed.err().message;
}

}  // namespace

TEST_CASE("a stream is cut at document markers, which keep their lines", "[ctl]") {
  const auto pieces = split_yaml("a: 1\n---\n\nb: |\n  ---\n  x\n--- # c\nc: 1\n");
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].line == 1);
  CHECK(pieces[1].line == 2);
  CHECK(pieces[1].text == "---\n\nb: |\n  ---\n  x\n");
  CHECK(pieces[2].line == 7);
  CHECK(split_yaml("---\na: 1\n").size() == 1);
  CHECK(split_yaml("").empty());
}

TEST_CASE("manifests know the file, document and line that they come from", "[ctl]") {
  const auto parsed = parse_manifests("# shop\n---\n# first\n" + config_map + "---\n---\n" + config_map, "web.yaml");
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 2);
  CHECK((*parsed)[0].from.text() == "web.yaml, document 1 (line 4)");
  CHECK((*parsed)[1].from.text() == "web.yaml, document 2 (line 9)");
  CHECK((*parsed)[0].object.at("kind") == "ConfigMap");
}

TEST_CASE("a List counts as its items, and JSON is read too", "[ctl]") {
  const auto list = parse_manifests(
      R"({"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}},)"
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"t"}}]})",
      "list.json");
  REQUIRE(list);
  CHECK(list->size() == 2);
  CHECK_THAT(message_of("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret}\n"),
             Contains("web.yaml, document 1 (line 1), items[0]: Secret has no metadata.name"));
}

TEST_CASE("a manifest that is none is refused with its place", "[ctl]") {
  CHECK_THAT(message_of(config_map + "---\nkind: Secret\nmetadata: {name: x}\n"),
             Contains("web.yaml, document 2 (line 5): apiVersion is missing"));
  CHECK_THAT(message_of("apiVersion: v1\nmetadata: {name: x}\n"), Contains("kind is missing"));
  CHECK_THAT(message_of("apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n"), Contains("needs fixed names"));
  CHECK_THAT(message_of("just text\n"), Contains("expected an object"));
  CHECK_THAT(message_of("# nothing\n"), Contains("web.yaml has no objects"));
}

TEST_CASE("a YAML mistake is reported with the line of the file, not of the document", "[ctl]") {
  const auto message = message_of(config_map + "---\napiVersion: v1\nkind: [broken\nmetadata: {name: x}\n");
  CHECK_THAT(message, Contains("web.yaml, document 2 (line 5)"));
  CHECK_THAT(message, Contains("line 6") || Contains("line 7"));
}

TEST_CASE("files, folders and standard input are read", "[ctl]") {
  const test::temporary_folder folder;
  REQUIRE(make_folder(folder.file("d/below"), 0700));
  REQUIRE(write_file_atomically(folder.file("d/2.yml"), "apiVersion: v1\nkind: Secret\nmetadata: {name: two}\n", 0600));
  REQUIRE(
      write_file_atomically(folder.file("d/1.yaml"), "apiVersion: v1\nkind: Secret\nmetadata: {name: one}\n", 0600));
  REQUIRE(write_file_atomically(folder.file("d/notes.txt"), "not: read", 0600));
  std::istringstream in(config_map);
  const auto loaded = load_manifests({folder.file("d"), "-"}, in);
  REQUIRE(loaded);
  REQUIRE(loaded->size() == 3);
  CHECK(name_of((*loaded)[0].object) == "one");
  CHECK((*loaded)[2].from.text() == "standard input, document 1 (line 1)");
  CHECK_FALSE(load_manifests({folder.file("d/below")}, in));
  CHECK_THAT(load_manifests({folder.file("none.yaml")}, in).err().message, Contains("No such file"));
}

TEST_CASE("the same object twice is refused, naming both places", "[ctl]") {
  std::istringstream in(config_map + "---\n" + config_map);
  const auto loaded = load_manifests({"-"}, in);
  REQUIRE_FALSE(loaded);
  CHECK(
      loaded.err().message ==
      "standard input, document 2 (line 5): ConfigMap n/a is there twice: first in standard input, document 1 (line 1)");
}
