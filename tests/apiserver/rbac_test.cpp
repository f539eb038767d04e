#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* rbac_group = ".rbac.authorization.k8s.io";

void store_object(store& s, const std::string& resource, const std::string& ns, const std::string& name, document doc) {
  doc["metadata"] = {{"name", name}};
  batch b;
  b.puts.push_back({{resource + rbac_group, ns, name}, encode_body(doc)});
  s.submit(std::move(b), [](const result<commit>& c) { REQUIRE(c); });
}

document role(document rules) { return {{"rules", std::move(rules)}}; }

document binding(const char* kind, const char* name, document subjects) {
  return {{"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", kind}, {"name", name}}},
          {"subjects", std::move(subjects)}};
}

document user(const char* name) { return {{"kind", "User"}, {"name", name}}; }

access_question ask(const char* who, const char* verb, const char* group, const char* resource, const char* ns = "",
                    const char* name = "", const char* sub = "") {
  return {{who, {"system:authenticated"}}, verb, group, resource, sub, ns, name, ""};
}

}  // namespace

TEST_CASE("roles allow what they say to whom they are bound", "[apiserver][rbac]") {
  auto s = make_memory_store("x");
  store_object(*s, "clusterroles", "", "reader",
               role({{{"verbs", {"get", "list"}}, {"apiGroups", {""}}, {"resources", {"configmaps", "pods/log"}}},
                     {{"verbs", {"get"}}, {"nonResourceURLs", {"/metrics", "/logs/*"}}}}));
  auto access = make_rbac_authorizer(*s);
  store_object(*s, "clusterrolebindings", "", "b1", binding("ClusterRole", "reader", {user("ann")}));
  store_object(*s, "rolebindings", "n", "b2",
               binding("ClusterRole", "reader",
                       {user("bob"), {{"kind", "ServiceAccount"}, {"namespace", "k"}, {"name", "sa"}}}));
  store_object(
      *s, "roles", "n", "one",
      role(
          {{{"verbs", {"*"}}, {"apiGroups", {"*"}}, {"resources", {"leases", "*/status"}}, {"resourceNames", {"l"}}}}));
  store_object(*s, "rolebindings", "n", "b3",
               binding("Role", "one", {{{"kind", "Group"}, {"name", "system:authenticated"}}}));
  struct row {
    const char* why;
    access_question q;
    bool want;
  };
  const row rows[] = {
      {"cluster-wide", ask("ann", "get", "", "configmaps", "anywhere", "x"), true},
      {"cluster-wide list of all", ask("ann", "list", "", "configmaps"), true},
      {"another verb", ask("ann", "delete", "", "configmaps", "n"), false},
      {"another group", ask("ann", "get", "apps", "configmaps", "n"), false},
      {"a subresource is named with its resource", ask("ann", "get", "", "pods", "n", "p", "log"), true},
      {"the resource is not in its subresource", ask("ann", "get", "", "pods", "n", "p"), false},
      {"in the binding's namespace", ask("bob", "get", "", "configmaps", "n", "x"), true},
      {"in another namespace", ask("bob", "get", "", "configmaps", "m", "x"), false},
      {"across namespaces", ask("bob", "list", "", "configmaps"), false},
      {"a service account by its user name", ask("system:serviceaccount:k:sa", "list", "", "configmaps", "n"), true},
      {"a service account of another namespace", ask("system:serviceaccount:n:sa", "list", "", "configmaps", "n"),
       false},
      {"by group and resourceName", ask("eve", "update", "coordination.k8s.io", "leases", "n", "l"), true},
      {"another name", ask("eve", "update", "coordination.k8s.io", "leases", "n", "m"), false},
      {"resourceNames never allow a create without a name", ask("eve", "create", "coordination.k8s.io", "leases", "n"),
       false},
      {"any resource's status", ask("eve", "patch", "x.io", "things", "n", "l", "status"), true},
      {"any resource's other subresource", ask("eve", "patch", "x.io", "things", "n", "l", "scale"), false},
      {"nobody bound", ask("zoe", "get", "", "configmaps", "m"), false},
  };
  for (const auto& r : rows) {
    INFO(r.why);
    CHECK(access->allows(r.q) == r.want);
  }
  auto url = [&](const char* who, const char* path) {
    return access->allows({{who, {}}, "get", "", "", "", "", "", path});
  };
  CHECK(url("ann", "/metrics"));
  CHECK(url("ann", "/logs/a/b"));
  CHECK_FALSE(url("ann", "/metrics/x"));
  CHECK_FALSE(url("bob", "/metrics"));
  CHECK(access->allows({{"root", {"system:masters"}}, "delete", "a", "b", "", "", "", ""}));
}

TEST_CASE("RBAC follows the store", "[apiserver][rbac]") {
  auto s = make_memory_store("x");
  auto access = make_rbac_authorizer(*s);
  auto q = ask("ann", "get", "", "configmaps", "n");
  store_object(*s, "clusterrolebindings", "", "b", binding("ClusterRole", "reader", {user("ann"), user("ann")}));
  CHECK_FALSE(access->allows(q));
  store_object(*s, "clusterroles", "", "reader",
               role({{{"verbs", {"get"}}, {"apiGroups", {""}}, {"resources", {"configmaps"}}}}));
  CHECK(access->allows(q));
  store_object(*s, "clusterrolebindings", "", "b", binding("ClusterRole", "reader", {user("bob")}));
  CHECK_FALSE(access->allows(q));
  CHECK(access->allows(ask("bob", "get", "", "configmaps", "n")));
  batch b;
  b.erases.push_back({{std::string("clusterroles") + rbac_group, "", "reader"}});
  s->submit(std::move(b), {});
  CHECK_FALSE(access->allows(ask("bob", "get", "", "configmaps", "n")));
}

TEST_CASE("a refusal says who, what and where, as Kubernetes does", "[apiserver][rbac]") {
  api_fixture f;
  f.access.denies = [](const access_question&) { return true; };
  auto message = [&](const char* method, const char* target) {
    auto r = f.call(method, target, {}, {.user = {"u", {}}});
    CHECK(r.code == 403);
    CHECK(r.reason() == "Forbidden");
    return r.message();
  };
  CHECK(
      message("GET", "/apis/work.open-cluster-management.io/v1/namespaces/c2/manifestworks") ==
      "manifestworks.work.open-cluster-management.io is forbidden: User \"u\" cannot list resource \"manifestworks\" in API group "
      "\"work.open-cluster-management.io\" in the namespace \"c2\"");
  CHECK(
      message("GET", "/api/v1/configmaps?watch=1") ==
      "configmaps is forbidden: User \"u\" cannot watch resource \"configmaps\" in API group \"\" at the cluster scope");
  CHECK(
      message("PATCH", "/apis/work.open-cluster-management.io/v1/namespaces/c2/manifestworks/w/status") ==
      "manifestworks.work.open-cluster-management.io \"w\" is forbidden: User \"u\" cannot patch resource \"manifestworks/status\" in API "
      "group \"work.open-cluster-management.io\" in the namespace \"c2\"");
  CHECK(message("GET", "/metrics") == "forbidden: User \"u\" cannot get path \"/metrics\"");
  CHECK(f.call("GET", "/api", {}, {.user = {"u", {}}}).code == 403);
  CHECK(f.call("GET", "/readyz", {}, {.user = {"u", {}}}).code == 200);
  CHECK(f.call("GET", "/api", {}, {.user = {}}).code == 403);
  CHECK(f.call("GET", "/version", {}, {.user = {}}).code == 403);
}

TEST_CASE("a list by name is asked about by name", "[apiserver][rbac]") {
  api_fixture f;
  std::vector<std::string> asked;
  f.access.denies = [&](const access_question& q) {
    asked.push_back(q.verb + " " + q.ns + "/" + q.name);
    return false;
  };
  f.get("/api/v1/namespaces/n/configmaps?fieldSelector=metadata.name%3Da");
  f.get("/api/v1/namespaces/x");
  CHECK(asked == std::vector<std::string>{"list n/a", "get x/x"});
}

TEST_CASE("access reviews answer without storing", "[apiserver][rbac]") {
  api_fixture f;
  f.access.denies = [](const access_question& q) { return q.verb == "delete" || q.user.name == "eve"; };
  auto self = [&](const char* verb) {
    return f.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                  {{"spec", {{"resourceAttributes", {{"verb", verb}, {"resource", "pods"}}}}}});
  };
  CHECK(self("get").code == 201);
  CHECK(self("get").json["status"]["allowed"] == true);
  CHECK(self("delete").json["status"]["allowed"] == false);
  auto other = f.post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
                      {{"spec", {{"user", "eve"}, {"nonResourceAttributes", {{"verb", "get"}, {"path", "/x"}}}}}});
  CHECK(other.json["status"]["allowed"] == false);
  CHECK(f.post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
               {{"spec", {{"resourceAttributes", {{"verb", "get"}}}}}})
            .code == 422);
  CHECK(f.get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").code == 405);
  auto who = f.post("/apis/authentication.k8s.io/v1/selfsubjectreviews",
                    {{"kind", "SelfSubjectReview"}, {"apiVersion", "authentication.k8s.io/v1"}});
  CHECK(who.json["status"]["userInfo"]["username"] == "admin");
  CHECK(f.data->window().current == revision(0));
}
