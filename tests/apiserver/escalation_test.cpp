#include <catch2/catch.hpp>

#include "access_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

document role(const char* name, document rules) {
  return {{"metadata", {{"name", name}}}, {"rules", std::move(rules)}};
}

document binding(const char* name, const char* to) {
  return {{"metadata", {{"name", name}}},
          {"roleRef", {{"kind", "ClusterRole"}, {"name", to}}},
          {"subjects", document::array({{{"kind", "User"}, {"name", "eve"}}})}};
}

std::vector<policy_rule> rules(const document& list) { return rules_of({{"rules", list}}); }

document rule(const char* text) { return *parse_json(text); }

}  // namespace

TEST_CASE("rules cover rules as Kubernetes counts them", "[apiserver][access]") {
  struct row {
    const char* why;
    const char* owned;
    const char* wanted;
    std::vector<std::string> missing;
  };
  const row rows[] = {
      {"the same",
       R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])",
       R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])",
       {}},
      {"stars",
       R"([{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}])",
       R"([{"verbs":["get","x"],"apiGroups":["a",""],"resources":["pods","pods/log"],"resourceNames":["n"]}])",
       {}},
      {"a star is not the sum of what is known",
       R"([{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}])",
       R"([{"verbs":["*"],"apiGroups":[""],"resources":["pods"]}])",
       {R"({APIGroups:[""], Resources:["pods"], Verbs:["*"]})"}},
      {"spread over several rules",
       R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]},{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])",
       R"([{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}])",
       {}},
      {"names limit",
       R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]}])",
       R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])",
       {R"({APIGroups:[""], Resources:["pods"], Verbs:["get"]})"}},
      {"each name for itself",
       R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]}])",
       R"([{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a","b"]}])",
       {R"({APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get" "list"]})",
        R"({APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["list"]})"}},
      {"any resource's subresource",
       R"([{"verbs":["get"],"apiGroups":["apps"],"resources":["*/scale"]}])",
       R"([{"verbs":["get"],"apiGroups":["apps"],"resources":["deployments/scale","deployments"]}])",
       {R"({APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]})"}},
      {"paths",
       R"([{"verbs":["get"],"nonResourceURLs":["/a/*","/b"]}])",
       R"([{"verbs":["get"],"nonResourceURLs":["/a/x","/a/*","/b","/c"]}])",
       {R"({NonResourceURLs:["/c"], Verbs:["get"]})"}},
  };
  for (const auto& r : rows) {
    INFO(r.why);
    auto missing = missing_permissions(rules(rule(r.owned)), rules(rule(r.wanted)));
    REQUIRE(missing);
    std::vector<std::string> texts;
    for (const auto& m : compacted(*missing)) texts.push_back(compact_text(m));
    CHECK(texts == r.missing);
  }
  document huge = {{"verbs", document::array()}, {"apiGroups", document::array()}, {"resources", document::array()}};
  for (int i = 0; i < 1000; ++i)
    for (auto& list : huge) list.push_back("x" + std::to_string(i));
  CHECK(missing_permissions({}, rules(document::array({huge}))).err().code == errc::too_large);
}

TEST_CASE("nobody grants what he does not hold", "[apiserver][access]") {
  access_fixture f;
  f.grant("ann", document::array({policy({"rbac.authorization.k8s.io"}, {"*"}, {"create", "update", "patch", "get"}),
                                  policy({""}, {"configmaps"}, {"get", "list"})}));
  CHECK(f.as("ann", "POST", roles_path, role("low", document::array({policy({""}, {"configmaps"}, {"get"})}))).code ==
        201);
  auto refused =
      f.as("ann", "POST", roles_path,
           role("high", document::array({policy({""}, {"configmaps", "secrets"}, {"list", "get", "watch"})})));
  CHECK(refused.code == 403);
  CHECK(
      refused.message() ==
      "clusterroles.rbac.authorization.k8s.io \"high\" is forbidden: user \"ann\" (groups=[\"system:authenticated\"]) "
      "is attempting to grant RBAC permissions not currently held:\n"
      "{APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[\"watch\"]}\n"
      "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"list\" \"get\" \"watch\"]}");
  CHECK(f.as("ann", "POST", bindings_path, binding("b", "low")).code == 201);
  auto bound = f.as("ann", "POST", bindings_path, binding("c", "cluster-admin"));
  CHECK(bound.code == 403);
  CHECK_THAT(bound.message(), Catch::Contains("{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}"));
  CHECK(f.as("ann", "POST", bindings_path, binding("d", "nowhere")).code == 404);
  // Changing what gives no rights is no grant.
  auto target = std::string(roles_path) + "/cluster-admin";
  auto labelled = f.call("PATCH", target, R"({"metadata":{"labels":{"x":"y"}}})",
                         {.content_type = "application/merge-patch+json", .user = {"ann", {"system:authenticated"}}});
  CHECK(labelled.code == 200);
  auto grown = f.call("PATCH", std::string(roles_path) + "/low",
                      R"({"rules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}]})",
                      {.content_type = "application/merge-patch+json", .user = {"ann", {"system:authenticated"}}});
  CHECK(grown.code == 403);
  CHECK(f.post(roles_path, role("high", document::array({policy({"*"}, {"*"}, {"*"})}))).code == 201);
}

TEST_CASE("roles and bindings that mean nothing are refused", "[apiserver][access]") {
  access_fixture f;
  f.make_namespace("n");
  struct row {
    const char* path;
    const char* body;
    const char* message;
  };
  const char* roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/n/roles";
  const char* bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/n/rolebindings";
  const row rows[] = {
      {roles_path, R"({"metadata":{"name":"x"},"rules":[{"verbs":["get"],"apiGroups":[""]}]})",
       "rules[0].resources: Required value: resource rules must supply at least one resource"},
      {roles_path, R"({"metadata":{"name":"x"},"rules":[{"verbs":["get"],"resources":["pods"]}]})",
       "rules[0].apiGroups: Required value: resource rules must supply at least one api group"},
      {roles_path,
       R"({"metadata":{"name":"x"},"rules":[{"verbs":["get"],"nonResourceURLs":["/x"],"resources":["pods"]}]})",
       "rules cannot apply to both regular resources and non-resource URLs"},
      {roles, R"({"metadata":{"name":"x"},"rules":[{"verbs":["get"],"nonResourceURLs":["/x"]}]})",
       "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs"},
      {bindings_path, R"({"metadata":{"name":"x"},"roleRef":{"kind":"Role","name":"r"}})",
       "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""},
      {bindings,
       R"({"metadata":{"name":"x"},"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"s"}]})",
       "subjects[0].namespace: Required value"},
      {bindings, R"({"metadata":{"name":"x"},"roleRef":{"kind":"Role","name":"r","apiGroup":"x.io"}})",
       "roleRef.apiGroup"},
  };
  for (const auto& r : rows) {
    INFO(r.body);
    auto got = f.call("POST", r.path, r.body);
    CHECK(got.code == 422);
    CHECK_THAT(got.message(), Catch::Contains(r.message));
  }
  CHECK(f.call("POST", bindings, R"({"metadata":{"name":"x"},"roleRef":{"kind":"Role","name":"later"}})").code == 201);
}

TEST_CASE("escalate and bind exempt", "[apiserver][access]") {
  access_fixture f;
  auto rbac =
      policy({"rbac.authorization.k8s.io"}, {"clusterroles", "clusterrolebindings"}, {"create", "update", "patch"});
  auto bind = policy({"rbac.authorization.k8s.io"}, {"clusterroles"}, {"bind"});
  bind["resourceNames"] = {"cluster-admin"};
  f.grant("bob", document::array({rbac, bind}));
  CHECK(f.as("bob", "POST", bindings_path, binding("x", "cluster-admin")).code == 201);
  CHECK(f.as("bob", "POST", bindings_path, binding("y", "edit")).code == 403);
  f.grant("cat", document::array({rbac, policy({"rbac.authorization.k8s.io"}, {"clusterroles"}, {"escalate"})}));
  CHECK(f.as("cat", "POST", roles_path, role("z", document::array({policy({"*"}, {"*"}, {"*"})}))).code == 201);
}

TEST_CASE("who sets what a role gathers must hold everything", "[apiserver][access]") {
  access_fixture f;
  f.grant("ann", document::array({policy({"rbac.authorization.k8s.io"}, {"*"}, {"create", "update"})}));
  document role = {{"metadata", {{"name", "all"}}},
                   {"rules", document::array()},
                   {"aggregationRule", {{"clusterRoleSelectors", document::array({{{"matchLabels", {{"a", "b"}}}}})}}}};
  auto refused = f.as("ann", "POST", roles_path, role);
  CHECK(refused.code == 403);
  CHECK_THAT(refused.message(), Catch::Contains("{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}"));
}
