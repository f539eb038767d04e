// metadata.managedFields over writes that are no applies.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string maps = "/api/v1/namespaces/n/configmaps";

document entry(const std::string& manager, const char* time, const char* fields) {
  return {{"apiVersion", "v1"}, {"fieldsType", "FieldsV1"}, {"fieldsV1", document::parse(fields)},
          {"manager", manager}, {"operation", "Update"},    {"time", time}};
}

document owners(const document& object) {
  const auto* list = find_path(object, {"metadata", "managedFields"});
  return list ? *list : document();
}

}  // namespace

TEST_CASE("creates and changes are owned by who made them", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  auto r = f.call("POST", maps, R"({"metadata":{"name":"a","labels":{"x":"y"}},"data":{"k":"v"}})",
                  {.user_agent = "kubectl-create/v1.32 (linux/amd64)"});
  REQUIRE(r.code == 201);
  const char* born = "2026-01-02T03:04:05Z";
  CHECK(owners(r.json) ==
        document::array({entry("kubectl-create", born,
                               R"({"f:data":{".":{},"f:k":{}},"f:metadata":{"f:labels":{".":{},"f:x":{}}}})")}));
  f.timer.advance(std::chrono::seconds(5));
  const char* later = "2026-01-02T03:04:10Z";
  r = f.patch(maps + "/a?fieldManager=editor", {{"data", {{"k", "w"}, {"l", "x"}}}});
  const auto both =
      document::array({entry("kubectl-create", born, R"({"f:data":{},"f:metadata":{"f:labels":{".":{},"f:x":{}}}})"),
                       entry("editor", later, R"({"f:data":{"f:k":{},"f:l":{}}})")});
  CHECK(owners(r.json) == both);
  // What changes nothing is no write.
  f.timer.advance(std::chrono::seconds(5));
  const auto before = r.json;
  r = f.patch(maps + "/a?fieldManager=nobody", {{"data", {{"k", "w"}}}});
  CHECK(r.json == before);
  // A client that does not know of owners does not lose them.
  auto put = r.json;
  put["metadata"].erase("managedFields");
  CHECK(owners(f.put(maps + "/a", put).json) == both);
  CHECK(owners(f.get(maps, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").json["items"][0]) ==
        both);
}

TEST_CASE("a manager is named by the parameter, else by the program, else unknown", "[apiserver][apply]") {
  struct row {
    std::string query, agent, manager;
  };
  const row rows[] = {
      {"?fieldManager=me", "curl/7", "me"},
      {"", "curl/7.88 (x)", "curl"},
      {"", "", "unknown"},
      {"", "\x01/1", "unknown"},
      {"", std::string(200, 'x') + "/1", std::string(128, 'x')},
      {"", std::string(127, 'x') + "\xc3\xa4/1", std::string(127, 'x')},
  };
  for (const auto& r : rows) {
    api_fixture f;
    f.make_namespace("n");
    auto made =
        f.call("POST", maps + r.query, R"({"metadata":{"name":"a"},"data":{"k":"v"}})", {.user_agent = r.agent});
    CHECK(owners(made.json)[0]["manager"] == r.manager);
  }
  api_fixture f;
  f.make_namespace("n");
  CHECK(f.post(maps + "?fieldManager=" + std::string(129, 'm'), {{"metadata", {{"name", "a"}}}}).message() ==
        "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes");
}

TEST_CASE("clients may write owners, and reset them", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  REQUIRE(f.post(maps + "?fieldManager=m", {{"metadata", {{"name", "a"}}}, {"data", {{"k", "v"}}}}).code == 201);
  const auto set = [&](const document& list) {
    return f.patch(maps + "/a?fieldManager=x", {{"metadata", {{"managedFields", list}}}});
  };
  const auto mine = document::array({entry("mine", "2026-01-01T00:00:00Z", R"({"f:data":{"f:k":{}}})")});
  CHECK(owners(set(mine).json) == mine);
  // Broken lists count as not sent.
  auto broken = mine;
  broken[0]["operation"] = "Steal";
  CHECK(owners(set(broken).json) == mine);
  broken = mine;
  broken[0]["fieldsV1"] = {{"data", document::object()}};
  CHECK(owners(set(broken).json) == mine);
  CHECK(
      set(5).message() ==
      "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: metadata.managedFields: must be a list of objects");
  CHECK(owners(set(document::array({document::object()})).json).is_null());
  // Nobody owns it now, and updates do not change that.
  CHECK(owners(f.patch(maps + "/a", {{"data", {{"k", "w"}}}}).json).is_null());
  CHECK(owners(set(mine).json) == mine);
  CHECK(owners(set(document::array()).json).is_null());
  auto applied = f.apply(maps + "/a", "m", "{apiVersion: v1, kind: ConfigMap, data: {l: x}}");
  CHECK(owners(applied.json).size() == 2);
  CHECK(owners(applied.json)[1]["manager"] == "before-first-apply");
}

TEST_CASE("status writes keep owners of their own, and cannot write them", "[apiserver][apply]") {
  api_fixture f(kind_set::cluster);
  const std::string spaces = "/api/v1/namespaces";
  REQUIRE(f.post(spaces + "?fieldManager=m", {{"metadata", {{"name", "s"}}}}).code == 201);
  CHECK(owners(f.get(spaces + "/s").json)[0]["fieldsV1"] ==
        document::parse(R"({"f:metadata":{"f:labels":{".":{},"f:kubernetes.io/metadata.name":{}}}})"));
  auto r = f.patch(spaces + "/s/status?fieldManager=c",
                   {{"metadata", {{"managedFields", document::array()}}}, {"status", {{"phase", "Terminating"}}}});
  REQUIRE(r.code == 200);
  REQUIRE(owners(r.json).size() == 2);
  CHECK(owners(r.json)[0]["manager"] == "c");
  CHECK(owners(r.json)[0]["subresource"] == "status");
  CHECK(owners(r.json)[0]["fieldsV1"] == document::parse(R"({"f:status":{"f:phase":{}}})"));
}

TEST_CASE("renewing a lease does not touch its owners", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
  auto lease = f.post(leases + "?fieldManager=agent", {{"metadata", {{"name", "managed-cluster-lease"}}},
                                                       {"spec", {{"renewTime", "2026-01-02T03:04:05.000000Z"}}}})
                   .json;
  const auto before = owners(lease);
  REQUIRE(before.size() == 1);
  f.timer.advance(std::chrono::seconds(60));
  lease["spec"]["renewTime"] = "2026-01-02T03:05:05.000000Z";
  auto r = f.put(leases + "/managed-cluster-lease?fieldManager=other", lease);
  REQUIRE(r.code == 200);
  CHECK(r.json["spec"]["renewTime"] == "2026-01-02T03:05:05.000000Z");
  CHECK(owners(r.json) == before);
}

TEST_CASE("parts of ours that make many objects leave them without owners", "[apiserver][apply]") {
  api_fixture f;
  f.make_namespace("n");
  const extras ours{.owns_what_it_creates = false};
  auto r = f.call("POST", maps, R"({"metadata":{"name":"a"},"data":{"k":"v"}})", ours);
  REQUIRE(r.code == 201);
  CHECK(owners(r.json).is_null());
  CHECK(owners(f.patch(maps + "/a", {{"data", {{"k", "w"}}}}).json).is_null());
  CHECK(f.apply(maps + "/a", "m", "{apiVersion: v1, kind: ConfigMap, data: {k: x}}").message() ==
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.k");
}
