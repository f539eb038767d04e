#include <catch2/catch.hpp>

#include "apiserver/render.hpp"
#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* maps = "/api/v1/namespaces/n/configmaps";

std::vector<std::string> names(const document& list) {
  std::vector<std::string> out;
  for (const auto& item : list["items"]) out.emplace_back(name_of(item));
  return out;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("lists are sorted, of one kind and carry the revision they were read at", "[apiserver]") {
  api_fixture f;
  f.make_namespace("m");
  f.make_namespace("n");
  f.make_config_map("n", "b");
  f.make_config_map("n", "a");
  f.make_config_map("m", "z");
  auto all = f.get("/api/v1/configmaps");
  CHECK(all.json["kind"] == "ConfigMapList");
  CHECK(all.json["apiVersion"] == "v1");
  CHECK(all.json["metadata"]["resourceVersion"] == "5");
  CHECK(names(all.json) == strings{"z", "a", "b"});
  CHECK(names(f.get(maps).json) == strings{"a", "b"});
  CHECK(names(f.get("/api/v1/namespaces/none/configmaps").json).empty());
  CHECK(f.get(std::string(maps) + "/a").json == all.json["items"][1]);
}

TEST_CASE("selectors choose", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a", {{"x", "1"}});
  f.make_config_map("n", "b", {{"x", "2"}});
  f.make_config_map("n", "c");
  struct row {
    const char* query;
    strings want;
  };
  const row rows[] = {
      {"labelSelector=x%3D1", {"a"}},
      {"labelSelector=x", {"a", "b"}},
      {"labelSelector=x+notin+(1)", {"b", "c"}},
      {"labelSelector=x%3D3", {}},
      {"fieldSelector=metadata.name%3Db", {"b"}},
      {"fieldSelector=metadata.name!%3Db", {"a", "c"}},
      {"fieldSelector=metadata.name%3Db,metadata.namespace%3Dn", {"b"}},
      {"fieldSelector=metadata.namespace%3Dm", {}},
      {"fieldSelector=metadata.name%3Da,metadata.name%3Db", {}},
      {"fieldSelector=metadata.name%3Da&labelSelector=x%3D2", {}},
  };
  for (const auto& r : rows) {
    INFO(r.query);
    CHECK(names(f.get(std::string(maps) + "?" + r.query).json) == r.want);
  }
  CHECK(f.get(std::string(maps) + "?labelSelector=!!").code == 400);
  auto unsupported = f.get(std::string(maps) + "?fieldSelector=data.k%3Dv");
  CHECK(unsupported.code == 400);
  CHECK(unsupported.message() == "field label not supported: data.k");
  CHECK(f.get("/api/v1/namespaces?fieldSelector=status.phase%3DActive").json["items"].size() == 1);
}

TEST_CASE("a limited list continues at its revision", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  for (const char* name : {"a", "b", "c", "d", "e"}) f.make_config_map("n", name, {{"odd", name[0] % 2 ? "y" : "n"}});
  auto first = f.get(std::string(maps) + "?limit=2");
  CHECK(names(first.json) == strings{"a", "b"});
  CHECK(first.json["metadata"]["remainingItemCount"] == 3);
  f.make_config_map("n", "bb");
  f.del(std::string(maps) + "/c");
  auto token = std::string(string_at(first.json, {"metadata", "continue"}));
  auto second = f.get(std::string(maps) + "?limit=2&continue=" + token);
  CHECK(names(second.json) == strings{"c", "d"});
  CHECK(second.json["metadata"]["remainingItemCount"] == 1);
  CHECK(second.json["metadata"]["resourceVersion"] == first.json["metadata"]["resourceVersion"]);
  auto third =
      f.get(std::string(maps) + "?limit=2&continue=" + std::string(string_at(second.json, {"metadata", "continue"})));
  CHECK(names(third.json) == strings{"e"});
  CHECK_FALSE(third.json["metadata"].contains("continue"));
  CHECK_FALSE(third.json["metadata"].contains("remainingItemCount"));

  auto odd = f.get(std::string(maps) + "?limit=1&labelSelector=odd%3Dy");
  CHECK(names(odd.json) == strings{"a"});
  CHECK_FALSE(odd.json["metadata"].contains("remainingItemCount"));
  odd = f.get(std::string(maps) +
              "?limit=1&labelSelector=odd%3Dy&continue=" + std::string(string_at(odd.json, {"metadata", "continue"})));
  CHECK(names(odd.json) == strings{"e"});
}

TEST_CASE("a continue token whose revision was compacted is 410 with one that goes on inconsistently", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  for (const char* name : {"a", "b", "c"}) f.make_config_map("n", name);
  auto first = f.get(std::string(maps) + "?limit=1");
  f.make_config_map("n", "d");
  f.data->compact(f.data->window().current);
  auto gone =
      f.get(std::string(maps) + "?limit=1&continue=" + std::string(string_at(first.json, {"metadata", "continue"})));
  REQUIRE(gone.code == 410);
  CHECK(gone.reason() == "Expired");
  auto rest = f.get(std::string(maps) + "?continue=" + std::string(string_at(gone.json, {"metadata", "continue"})));
  CHECK(names(rest.json) == strings{"b", "c", "d"});
  CHECK(f.get(std::string(maps) + "?limit=1&continue=abc").code == 400);
  CHECK(f.get(std::string(maps) + "?limit=1&continue=e30=").code == 400);
}

TEST_CASE("resourceVersion and resourceVersionMatch", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  f.make_config_map("n", "b");
  struct row {
    const char* convention;
    const char* query;
    int code;
    std::size_t items;
  };
  const row rows[] = {
      {"any version", "resourceVersion=0", 200, 2},
      {"not older than, by default", "resourceVersion=2", 200, 2},
      {"not older than", "resourceVersion=2&resourceVersionMatch=NotOlderThan", 200, 2},
      {"exact", "resourceVersion=2&resourceVersionMatch=Exact", 200, 1},
      {"exact when limited", "resourceVersion=2&limit=5", 200, 1},
      {"the future", "resourceVersion=99", 504, 0},
      {"a match needs a version", "resourceVersionMatch=Exact", 422, 0},
      {"exactly any makes no sense", "resourceVersion=0&resourceVersionMatch=Exact", 422, 0},
      {"unknown match", "resourceVersion=1&resourceVersionMatch=Roughly", 422, 0},
      {"not a version", "resourceVersion=x", 400, 0},
      {"not a limit", "limit=x", 400, 0},
  };
  for (const auto& r : rows) {
    INFO(r.convention);
    auto got = f.get(std::string(maps) + "?" + r.query);
    CHECK(got.code == r.code);
    if (r.code == 200) CHECK(got.json["items"].size() == r.items);
  }
  f.data->compact(revision(3));
  CHECK(f.get(std::string(maps) + "?resourceVersion=2&resourceVersionMatch=Exact").code == 410);
  CHECK(f.get(std::string(maps) + "/a?resourceVersion=99").code == 504);
  CHECK(f.get(std::string(maps) + "/a?resourceVersion=0").code == 200);
}

TEST_CASE("tables and partial objects", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a", {{"x", "1"}});
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  auto t = f.get(maps, table);
  CHECK(t.json["kind"] == "Table");
  CHECK(t.json["apiVersion"] == "meta.k8s.io/v1");
  CHECK(t.json["metadata"]["resourceVersion"] == "2");
  CHECK(t.json["columnDefinitions"][0]["name"] == "Name");
  CHECK(t.json["columnDefinitions"][1]["description"] == "How many keys there are.");
  CHECK(t.json["rows"][0]["cells"][0] == "a");
  CHECK(t.json["rows"][0]["object"]["kind"] == "PartialObjectMetadata");
  CHECK(f.get(std::string(maps) + "?includeObject=Object", table).json["rows"][0]["object"]["data"]["k"] == "v");
  CHECK(f.get(std::string(maps) + "/a", table).json["rows"].size() == 1);
  CHECK(f.get(std::string(maps) + "/b", table).json["kind"] == "Status");
  CHECK(f.get(std::string(maps) + "?includeObject=Everything").code == 400);

  auto p = f.get(maps, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  CHECK(p.json["kind"] == "PartialObjectMetadataList");
  CHECK(p.json["items"][0]["kind"] == "PartialObjectMetadata");
  CHECK(p.json["items"][0]["apiVersion"] == "meta.k8s.io/v1");
  CHECK(label_of(p.json["items"][0], "x") == "1");
  CHECK(p.json["items"][0]["metadata"]["resourceVersion"] == "2");
  CHECK_FALSE(p.json["items"][0].contains("data"));
}

TEST_CASE("a view of an object lacks its managers and nothing else", "[apiserver]") {
  kind_registry kinds;
  add_builtin_kinds(kinds, kind_set::hub);
  const auto kind = kinds.find_resource("configmaps");
  const served_kind served{kind, kind};
  const std::string managers =
      R"("managedFields":[{"apiVersion":"v1","fieldsV1":{"f:data":{"f:]}":{}}},"manager":"]"}])";
  const std::pair<std::string, std::string> rows[] = {
      {R"({"labels":{"a":"b"},)" + managers + R"(,"name":"x"})", R"({"labels":{"a":"b"},"name":"x"})"},
      {"{" + managers + R"(,"name":"x"})", R"({"name":"x"})"},
      {R"({"labels":{"a":"b"},)" + managers + "}", R"({"labels":{"a":"b"}})"},
      {"{" + managers + "}", "{}"},
      {R"({"labels":{"a":"\"managedFields\":["},"name":"x"})", R"({"labels":{"a":"\"managedFields\":["},"name":"x"})"},
      {R"({"name":"x"})", R"({"name":"x"})"},
  };
  for (const auto& [metadata, wanted] : rows) {
    INFO(metadata);
    const auto view = object_for_view(served, R"({"metadata":)" + metadata + R"(,"apiVersion":"v1","data":{}})", {});
    REQUIRE(view);
    CHECK((*view)["metadata"] == document::parse(wanted));
    CHECK(view->contains("data"));
  }
  CHECK_FALSE(object_for_view(served, R"("managedFields":[])", {}));
  // What cannot be cut is parsed as it is, and its damage found.
  CHECK_FALSE(object_for_view(served, R"({"metadata":{"managedFields":[{)", {}));
}

TEST_CASE("the rows of a table carry the whole metadata", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a", {{"x", "1"}});
  const std::string path = std::string(maps) + "?labelSelector=x%3D1";
  const auto table = f.get(path, "application/json;as=Table;v=v1;g=meta.k8s.io");
  const auto metas = f.get(path, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  CHECK(table.json["rows"][0]["object"] == metas.json["items"][0]);
  CHECK(table.json["rows"][0]["object"]["metadata"].contains("managedFields"));
  const auto beta = f.get(path, "application/json;as=Table;v=v1beta1;g=meta.k8s.io");
  CHECK(beta.json["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1");
  CHECK_FALSE(f.get(path + "&includeObject=None", "application/json;as=Table;v=v1;g=meta.k8s.io")
                  .json["rows"][0]
                  .contains("object"));
}
