#include "resources/patch.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

document json(const char* text) { return document::parse(text); }

}  // namespace

TEST_CASE("a merge patch replaces, adds and removes", "[patch]") {
  const auto out =
      apply_merge_patch(json(R"({"a":{"b":1,"c":2},"l":[1,2]})"), json(R"({"a":{"b":null,"d":3},"l":[9]})"));
  CHECK(*out == json(R"({"a":{"c":2,"d":3},"l":[9]})"));
  CHECK(*apply_merge_patch(json(R"({"a":1})"), json("[1]")) == json("[1]"));
}

TEST_CASE("a JSON patch applies its operations in order", "[patch]") {
  const auto out = apply_json_patch(json(R"({"a":[1,3],"b":{"x/y":1,"m~n":2}})"),
                                    json(R"([{"op":"add","path":"/a/1","value":2},{"op":"add","path":"/a/-","value":4},
                                             {"op":"remove","path":"/b/x~1y"},{"op":"replace","path":"/b/m~0n","value":null},
                                             {"op":"copy","from":"/a/0","path":"/c"},{"op":"move","from":"/c","path":"/d"},
                                             {"op":"test","path":"/d","value":1}])"));
  REQUIRE(out.ok());
  CHECK(*out == json(R"({"a":[1,2,3,4],"b":{"m~n":null},"d":1})"));
}

TEST_CASE("a failing operation is named by its index and changes nothing", "[patch]") {
  const auto target = json(R"({"a":1,"n":null})");
  for (const char* bad : {R"({"op":"test","path":"/a","value":2})", R"({"op":"remove","path":"/x"})",
                          R"({"op":"replace","path":"/x","value":1})", R"({"op":"add","path":"/a/b/c","value":1})",
                          R"({"op":"frob","path":"/a"})", R"({"path":"/a"})", R"({"op":"add","path":"/b"})",
                          R"({"op":"add","path":"b","value":1})", R"({"op":"copy","path":"/b","from":"/zz"})",
                          R"({"op":"move","path":"/a/b","from":"/a"})", "7", R"({"op":"add","path":"/a/b","value":1})",
                          R"({"op":"copy","path":"/a/b","from":"/a"})", R"({"op":"add","path":"/n/b","value":1})",
                          R"({"op":"add","path":5,"value":1})"}) {
    INFO(bad);
    const auto out =
        apply_json_patch(target, document::array({json(R"({"op":"test","path":"/a","value":1})"), json(bad)}));
    REQUIRE_FALSE(out.ok());
    CHECK(out.err().code == errc::invalid);
    CHECK(out.err().message.starts_with("JSON patch operation 1: "));
  }
}

TEST_CASE("JSON patches are bounded", "[patch]") {
  CHECK(apply_json_patch(json("{}"), json("{}")).err().code == errc::invalid);
  auto many = document::array();
  for (int i = 0; i < 10'001; ++i) many.push_back(json(R"({"op":"test","path":"","value":{}})"));
  CHECK(apply_json_patch(json("{}"), many).err().code == errc::too_large);
  auto doubling = document::array();
  for (int i = 0; i < 40; ++i) doubling.push_back({{"op", "copy"}, {"from", ""}, {"path", "/c" + std::to_string(i)}});
  CHECK(apply_json_patch({{"a", std::string(1000, 'x')}}, doubling).err().code == errc::too_large);
  auto nesting = document::array();
  for (int i = 0; i < 300; ++i) {
    nesting.push_back(json(R"({"op":"add","path":"/b","value":{}})"));
    nesting.push_back(json(R"({"op":"move","from":"/a","path":"/b/a"})"));
    nesting.push_back(json(R"({"op":"move","from":"/b","path":"/a"})"));
  }
  CHECK(apply_json_patch(json(R"({"a":{}})"), nesting).err().code == errc::too_large);
}

TEST_CASE("a JSON patch cannot nest a document past what recursion can follow on its way", "[patch]") {
  std::string nest = "{}", path;
  for (int i = 0; i < 120; ++i) {
    nest = "{\"x\":" + nest + "}";
    path += "/x";
  }
  auto deeper = document::array();
  for (int i = 0; i < 1500; ++i) {
    deeper.push_back({{"op", "add"}, {"path", "/b"}, {"value", document::parse(nest)}});
    deeper.push_back({{"op", "move"}, {"from", "/a"}, {"path", "/b" + path + "/a"}});
    deeper.push_back({{"op", "move"}, {"from", "/b"}, {"path", "/a"}});
  }
  deeper.push_back(json(R"({"op":"replace","path":"/a","value":1})"));
  const auto out = apply_json_patch(json(R"({"a":{}})"), deeper);
  REQUIRE_FALSE(out.ok());
  CHECK(out.err().code == errc::too_large);
}

TEST_CASE("a JSON patch cannot keep a server busy by moving much or shifting long lists", "[patch]") {
  auto to_and_fro = document::array();
  for (int i = 0; i < 5000; ++i) {
    to_and_fro.push_back(json(R"({"op":"move","from":"/a","path":"/b"})"));
    to_and_fro.push_back(json(R"({"op":"move","from":"/b","path":"/a"})"));
  }
  CHECK(apply_json_patch(json(R"({"a":1})"), to_and_fro).ok());
  const document long_list = {{"a", document::array_t(100'000, document(1))}};
  CHECK(apply_json_patch(long_list, to_and_fro).err().code == errc::too_large);
  auto in_front = document::array();
  for (int i = 0; i < 10'000; ++i) in_front.push_back(json(R"({"op":"add","path":"/a/0","value":1})"));
  CHECK(apply_json_patch(json(R"({"a":[]})"), in_front)->at("a").size() == 10'000);
  CHECK(apply_json_patch(long_list, in_front).err().code == errc::too_large);
}
