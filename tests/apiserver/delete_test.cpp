#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* maps = "/api/v1/namespaces/n/configmaps";
constexpr const char* works = "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks";

}  // namespace

TEST_CASE("deletion removes at once what has no finalizers", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.make_config_map("n", "a").json;
  auto r = f.del(std::string(maps) + "/a");
  CHECK(r.code == 200);
  CHECK(r.json["status"] == "Success");
  CHECK(r.json["details"] == document({{"name", "a"}, {"kind", "configmaps"}, {"uid", uid_of(a)}}));
  CHECK(f.del(std::string(maps) + "/a").message() == "configmaps \"a\" not found");
}

TEST_CASE("deletion honours preconditions and the propagation policy", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.make_config_map("n", "a").json;
  auto target = std::string(maps) + "/a";
  CHECK(f.del(target, {{"preconditions", {{"uid", "x"}}}}).code == 409);
  CHECK(f.del(target, {{"preconditions", {{"resourceVersion", "1"}}}}).code == 409);
  CHECK(f.del(target, {{"propagationPolicy", "Sideways"}}).code == 422);
  auto r = f.del(target, {{"kind", "DeleteOptions"},
                          {"apiVersion", "v1"},
                          {"propagationPolicy", "Foreground"},
                          {"preconditions", {{"uid", uid_of(a)}}}});
  CHECK(r.code == 200);
  CHECK(kind_of(r.json) == "ConfigMap");
  CHECK(has_finalizer(r.json, "foregroundDeletion"));
  CHECK(is_deleting(r.json));
  CHECK(has_finalizer(f.del(target + "?propagationPolicy=Orphan").json, "orphan"));
}

TEST_CASE("an object with finalizers goes with its last one", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  auto doc = manifest_work("w");
  doc["metadata"]["finalizers"] = {"a.io/x", "a.io/y"};
  f.post(works, doc);
  auto target = std::string(works) + "/w";
  auto marked = f.del(target);
  CHECK(marked.code == 200);
  CHECK(is_deleting(marked.json));
  CHECK(generation_of(marked.json).get() == 2);
  auto again = f.del(target);
  CHECK(string_at(again.json, {"metadata", "resourceVersion"}) ==
        string_at(marked.json, {"metadata", "resourceVersion"}));
  auto added = f.patch(target, {{"metadata", {{"finalizers", {"a.io/x", "a.io/z"}}}}});
  CHECK(
      added.message() ==
      "ManifestWork.work.open-cluster-management.io \"w\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be "
      "added if the object is being deleted, found new finalizers []string{\"a.io/z\"}");
  CHECK(f.patch(target, {{"metadata", {{"finalizers", {"a.io/x"}}}}}).code == 200);
  CHECK(f.get(target).code == 200);
  CHECK(f.patch(target, {{"metadata", {{"finalizers", nullptr}}}}).code == 200);
  CHECK(f.get(target).code == 404);
}

TEST_CASE("deletecollection deletes what the selector wants", "[apiserver]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a", {{"x", "1"}});
  f.make_config_map("n", "b", {{"x", "2"}});
  f.make_config_map("n", "c", {{"x", "1"}});
  auto r = f.del(std::string(maps) + "?labelSelector=x%3D1");
  CHECK(r.code == 200);
  CHECK(r.json["kind"] == "ConfigMapList");
  CHECK(r.json["items"].size() == 2);
  CHECK(f.get(maps).json["items"].size() == 1);
  CHECK(f.del(std::string(maps) + "?fieldSelector=metadata.name%3Dnone").json["items"].empty());
}
