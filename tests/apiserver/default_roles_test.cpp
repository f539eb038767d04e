#include <catch2/catch.hpp>

#include "access_fixture.hpp"
#include "apiserver/access/default_roles.hpp"

using namespace wh;
using namespace wh::test;

namespace {

document stored(api_fixture& f, const std::string& role) { return f.get(std::string(roles_path) + "/" + role).json; }

bool has_rule(const document& role, const char* resource) {
  for (const auto& r : role["rules"])
    if (std::find(r["resources"].begin(), r["resources"].end(), resource) != r["resources"].end()) return true;
  return false;
}

}  // namespace

TEST_CASE("aggregated roles hold what their selectors gather, and follow it", "[apiserver][access]") {
  access_fixture f;
  CHECK(has_rule(stored(f, "view"), "configmaps"));
  CHECK_FALSE(has_rule(stored(f, "view"), "secrets"));
  CHECK(has_rule(stored(f, "edit"), "secrets"));
  CHECK(has_rule(stored(f, "admin"), "rolebindings"));
  CHECK(has_rule(stored(f, "admin"), "secrets"));
  document more = {
      {"metadata", {{"name", "more"}, {"labels", {{"rbac.authorization.k8s.io/aggregate-to-view", "true"}}}}},
      {"rules", document::array({policy({"x.io"}, {"things"}, {"get"})})}};
  REQUIRE(f.post(roles_path, more).code == 201);
  for (const char* role : {"view", "edit", "admin"}) CHECK(has_rule(stored(f, role), "things"));
  f.patch(std::string(roles_path) + "/more", {{"rules", document::array({policy({"x.io"}, {"others"}, {"get"})})}});
  CHECK(has_rule(stored(f, "admin"), "others"));
  CHECK_FALSE(has_rule(stored(f, "admin"), "things"));
  f.patch(std::string(roles_path) + "/view", {{"rules", document::array()}});
  CHECK(has_rule(stored(f, "view"), "others"));
  f.patch(std::string(roles_path) + "/more", {{"metadata", {{"labels", nullptr}}}});
  CHECK_FALSE(has_rule(stored(f, "view"), "others"));
  CHECK_FALSE(has_rule(stored(f, "admin"), "others"));
  auto before = f.data->window().current;
  f.post(roles_path, {{"metadata", {{"name", "unrelated"}}}, {"rules", document::array()}});
  CHECK(f.data->window().current.get() == before.get() + 1);
}

TEST_CASE("aggregated roles come, change what they select, and go", "[apiserver][access]") {
  access_fixture f;
  auto part = [&](const char* name, const char* label, const char* resource) {
    REQUIRE(f.post(roles_path, {{"metadata", {{"name", name}, {"labels", {{"set", label}}}}},
                                {"rules", document::array({policy({"x.io"}, {resource}, {"get"})})}})
                .code == 201);
  };
  part("a", "one", "as");
  part("b", "two", "bs");
  auto selector = [](document s) { return document{{"clusterRoleSelectors", document::array({std::move(s)})}}; };
  const document by_expression = {
      {"matchExpressions", document::array({{{"key", "set"}, {"operator", "NotIn"}, {"values", {"one"}}},
                                            {{"key", "set"}, {"operator", "Exists"}}})}};
  document all = {{"metadata", {{"name", "all"}}}, {"aggregationRule", selector({{"matchLabels", {{"set", "one"}}}})}};
  REQUIRE(f.post(roles_path, all).code == 201);
  CHECK(has_rule(stored(f, "all"), "as"));
  CHECK_FALSE(has_rule(stored(f, "all"), "bs"));
  f.patch(std::string(roles_path) + "/all", {{"aggregationRule", selector(by_expression)}});
  CHECK_FALSE(has_rule(stored(f, "all"), "as"));
  CHECK(has_rule(stored(f, "all"), "bs"));
  part("c", "three", "cs");
  CHECK(has_rule(stored(f, "all"), "cs"));
  f.del(std::string(roles_path) + "/b");
  CHECK_FALSE(has_rule(stored(f, "all"), "bs"));
  CHECK(f.del(std::string(roles_path) + "/all").code == 200);
  part("d", "four", "ds");
  CHECK(f.get(std::string(roles_path) + "/all").code == 404);
}

TEST_CASE("what the default roles let people do", "[apiserver][access]") {
  access_fixture f;
  f.make_namespace("n");
  for (const char* role : {"view", "edit", "admin"})
    REQUIRE(f.post("/apis/rbac.authorization.k8s.io/v1/namespaces/n/rolebindings",
                   {{"metadata", {{"name", role}}},
                    {"roleRef", {{"kind", "ClusterRole"}, {"name", role}}},
                    {"subjects", document::array({{{"kind", "User"}, {"name", std::string(role) + "er"}}})}})
                .code == 201);
  struct row {
    const char* who;
    const char* method;
    const char* target;
    int code;
  };
  const char* works = "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks";
  const row rows[] = {
      {"viewer", "GET", "/api/v1/namespaces/n/configmaps", 200},
      {"viewer", "GET", works, 200},
      {"viewer", "GET", "/api/v1/namespaces/n/secrets", 403},
      {"viewer", "GET", "/api/v1/configmaps", 403},
      {"viewer", "DELETE", "/api/v1/namespaces/n/configmaps/x", 403},
      {"editer", "DELETE", "/api/v1/namespaces/n/configmaps/x", 404},
      {"editer", "GET", "/api/v1/namespaces/n/secrets", 200},
      {"editer", "DELETE", "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks/w", 403},
      {"adminer", "DELETE", "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks/w", 404},
      {"adminer", "GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/n/roles", 200},
      {"adminer", "GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles", 403},
      {"nobody", "GET", "/apis", 200},
      {"nobody", "GET", "/openapi/v3", 200},
      {"nobody", "GET", "/metrics", 403},
  };
  for (const auto& r : rows) {
    INFO(r.who << " " << r.method << " " << r.target);
    CHECK(f.as(r.who, r.method, r.target).code == r.code);
  }
  auto stranger = [&](const char* target) { return f.call("GET", target, {}, {.user = {}}).code; };
  CHECK(stranger("/version") == 200);
  CHECK(stranger("/apis") == 403);
}

TEST_CASE("defaults are brought up to date, and users' changes stay", "[apiserver][access]") {
  document wanted = {
      {"metadata", {{"name", "r"}, {"labels", {{"a", "1"}}}, {"annotations", {{"x", "1"}}}}},
      {"rules", document::array({policy({""}, {"pods"}, {"get", "list"}), policy({""}, {"nodes"}, {"get"})})}};
  document existing = {{"metadata", {{"name", "r"}, {"uid", "u"}, {"labels", {{"a", "2"}}}}},
                       {"rules", document::array({policy({""}, {"pods"}, {"*"}), policy({"mine"}, {"x"}, {"get"})})}};
  auto next = reconciled_access(existing, wanted);
  REQUIRE(next);
  CHECK((*next)["rules"].size() == 3);
  CHECK((*next)["rules"][2] == policy({""}, {"nodes"}, {"get"}));
  CHECK(label_of(*next, "a") == "2");
  CHECK(annotation_of(*next, "x") == "1");
  CHECK(uid_of(*next) == "u");
  CHECK_FALSE(reconciled_access(*next, wanted));
  existing["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] = "false";
  CHECK_FALSE(reconciled_access(existing, wanted));
  document bound = {{"metadata", {{"name", "b"}}},
                    {"roleRef", {{"kind", "ClusterRole"}, {"name", "r"}}},
                    {"subjects", document::array({{{"kind", "Group"}, {"name", "g"}}})}};
  auto other = bound;
  other["metadata"]["uid"] = "u";
  other["subjects"] = document::array({{{"kind", "User"}, {"name", "me"}}});
  CHECK((*reconciled_access(other, bound))["subjects"].size() == 2);
  other["roleRef"]["name"] = "elsewhere";
  CHECK(uid_of(*reconciled_access(other, bound)).empty());
}

TEST_CASE("people can ask what they may do", "[apiserver][access]") {
  access_fixture f;
  f.grant("ann", document::array(
                     {policy({""}, {"configmaps"}, {"get"}), {{"nonResourceURLs", {"/metrics"}}, {"verbs", {"get"}}}}));
  auto rules =
      f.as("ann", "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {{"spec", {{"namespace", "n"}}}});
  REQUIRE(rules.code == 201);
  CHECK(rules.json["status"]["incomplete"] == false);
  CHECK_THAT(rules.json["status"]["resourceRules"].dump(),
             Catch::Contains("configmaps") && Catch::Contains("selfsubjectreviews"));
  CHECK_THAT(rules.json["status"]["nonResourceRules"].dump(),
             Catch::Contains("/metrics") && Catch::Contains("/apis/*"));
  CHECK(f.as("ann", "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {{"spec", document::object()}})
            .code == 400);
  auto may =
      f.as("ann", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
           {{"spec", {{"resourceAttributes", {{"verb", "get"}, {"resource", "configmaps"}, {"namespace", "n"}}}}}});
  CHECK(may.json["status"]["reason"] ==
        "RBAC: allowed by ClusterRoleBinding \"of-ann\" of ClusterRole \"of-ann\" to User \"ann\"");
  auto others =
      f.as("ann", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {{"spec", {{"user", "bob"}}}});
  CHECK(
      others.message() ==
      "subjectaccessreviews.authorization.k8s.io is forbidden: User \"ann\" cannot create resource \"subjectaccessreviews\" "
      "in API group \"authorization.k8s.io\" at the cluster scope");
}
