// One row for each rule of admission for ManagedClusters, their sets and bindings, on every way to write them.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string group = "/apis/cluster.open-cluster-management.io";
const std::string clusters = group + "/v1/managedclusters";
const std::string sets = group + "/v1beta2/managedclustersets";
const std::string bindings = group + "/v1beta2/namespaces/team/managedclustersetbindings";
constexpr const char* set_label = "cluster.open-cluster-management.io/clusterset";

document named(const std::string& name, document spec = document::object(), document labels = document::object()) {
  return {{"metadata", {{"name", name}, {"labels", std::move(labels)}}}, {"spec", std::move(spec)}};
}
document in_set(const char* set) { return {{set_label, set}}; }
document label_patch(document set) { return {{"metadata", {{"labels", {{set_label, std::move(set)}}}}}}; }
document taint(const document& more) {
  document t = {{"key", "k"}, {"effect", "NoSelect"}};
  if (!more.is_null()) t.update(more);
  return t;
}
document tainted(document t) { return {{"taints", document::array({std::move(t)})}}; }
document url(const char* text) { return {{"managedClusterClientConfigs", {{{"url", text}}}}}; }
document choosing(document requirement) {
  return {{"clusterSelector",
           {{"selectorType", "LabelSelector"},
            {"labelSelector", {{"matchExpressions", document::array({std::move(requirement)})}}}}}};
}

struct step {
  std::string method;
  std::string target;
  document body;
  std::string type = "application/json";
};
const std::string merge = "application/merge-patch+json";
const std::string json_patch = "application/json-patch+json";
const std::string apply = "application/apply-patch+yaml";

/// What a user may not do: `update managedclusters/accept c1`; empty: everything is allowed.
struct row {
  std::string rule;
  std::vector<step> before;
  std::string denied;
  step tried;
  int code;
  std::string says;
};

step create(const document& cluster) { return {"POST", clusters, cluster}; }
step create_set(const document& set) { return {"POST", sets, set}; }
step bind(const char* name, const char* set) { return {"POST", bindings, named(name, {{"clusterSet", set}})}; }
step patched(const document& patch, const std::string& suffix = {}) {
  return {"PATCH", clusters + "/c1" + suffix, patch, merge};
}
step applied(const document& configuration) {
  document doc = configuration;
  doc["apiVersion"] = "cluster.open-cluster-management.io/v1";
  doc["kind"] = "ManagedCluster";
  return {"PATCH", clusters + "/" + std::string(name_of(configuration)) + "?fieldManager=me&force=true", doc, apply};
}

std::string right(const access_question& q) {
  return q.verb + " " + q.resource + (q.subresource.empty() ? "" : "/" + q.subresource) + " " + q.name;
}

reply_body run(api_fixture& f, const step& s) {
  return f.call(s.method, s.target, s.body.is_null() ? "" : s.body.dump(), {.content_type = s.type});
}

void check(const std::vector<row>& rows) {
  for (const auto& r : rows) {
    INFO(r.rule);
    api_fixture f;
    f.make_namespace("team");
    for (const auto& s : r.before) {
      const auto made = run(f, s);
      INFO(made.text);
      REQUIRE(made.code < 300);
      f.timer.advance(std::chrono::seconds(10));
    }
    f.access.denies = [&](const access_question& q) { return right(q) == r.denied; };
    const auto got = run(f, r.tried);
    INFO(got.text);
    CHECK(got.code == r.code);
    CHECK(got.text.find(r.says) != std::string::npos);
  }
}

const std::string join_default = "create managedclustersets/join default",
                  join_red = "create managedclustersets/join red", join_blue = "create managedclustersets/join blue",
                  accept_c1 = "update managedclusters/accept c1", bind_red = "create managedclustersets/bind red";
const document accepting = {{"hubAcceptsClient", true}};
const document accept_patch = {{"spec", accepting}};

}  // namespace

TEST_CASE("completion of ManagedClusters", "[apiserver][admission]") {
  const std::string first = "2026-01-02T03:04:05Z", later = "2026-01-02T03:04:15Z";
  check({
      {"a new cluster joins default", {}, "", create(named("c1")), 201, R"(clusterset":"default")"},
      {"an empty label joins default", {}, "", create(named("c1", {}, in_set(""))), 201, R"(clusterset":"default")"},
      {"a named set stays", {}, "", create(named("c1", {}, in_set("red"))), 201, R"(clusterset":"red")"},
      {"an update without label joins default",
       {create(named("c1", {}, in_set("red")))},
       "",
       patched(label_patch(nullptr)),
       200,
       R"(clusterset":"default")"},
      {"an update to the empty label joins default",
       {create(named("c1", {}, in_set("red")))},
       "",
       patched(label_patch("")),
       200,
       R"(clusterset":"default")"},
      {"server-side apply joins default", {}, "", applied(named("c1")), 201, R"(clusterset":"default")"},
      {"a write of the status leaves labels alone",
       {create(named("c1", {}, in_set("red")))},
       "",
       patched(label_patch(nullptr), "/status"),
       200,
       R"(clusterset":"red")"},
      {"a new taint's time is the hub's",
       {},
       "",
       create(named("c1", tainted(taint({{"timeAdded", "2001-01-01T00:00:00Z"}})))),
       201,
       first},
      {"an added taint is stamped", {create(named("c1"))}, "", patched({{"spec", tainted(taint({}))}}), 200, later},
      {"a changed taint is stamped anew",
       {create(named("c1", tainted(taint({}))))},
       "",
       patched({{"spec", tainted(taint({{"value", "v"}}))}}),
       200,
       later},
      {"an unchanged taint keeps its time",
       {create(named("c1", tainted(taint({}))))},
       "",
       patched({{"spec", tainted(taint({}))}}),
       200,
       first},
      {"an unchanged taint may repeat its time",
       {create(named("c1", tainted(taint({}))))},
       "",
       patched({{"spec", tainted(taint({{"timeAdded", first}}))}}),
       200,
       first},
      {"an unchanged taint may not get another time",
       {create(named("c1", tainted(taint({}))))},
       "",
       patched({{"spec", tainted(taint({{"timeAdded", later}}))}}),
       400,
       "It is not allowed to set TimeAdded of Taint"},
      {"an added taint may not bring a time",
       {create(named("c1"))},
       "",
       patched({{"spec", tainted(taint({{"timeAdded", first}}))}}),
       400,
       "It is not allowed to set TimeAdded of Taint"},
      {"a changed taint may not bring a time",
       {create(named("c1", tainted(taint({}))))},
       "",
       patched({{"spec", tainted(taint({{"value", "v"}, {"timeAdded", first}}))}}),
       400,
       "It is not allowed to set TimeAdded of Taint"},
      {"nor through a JSON patch",
       {create(named("c1", tainted(taint({}))))},
       "",
       {"PATCH", clusters + "/c1",
        document::array({{{"op", "replace"}, {"path", "/spec/taints/0/timeAdded"}, {"value", later}}}), json_patch},
       400,
       "It is not allowed to set TimeAdded of Taint"},
      {"nor through server-side apply",
       {create(named("c1"))},
       "",
       applied(named("c1", tainted(taint({{"timeAdded", first}})))),
       400,
       "It is not allowed to set TimeAdded of Taint"},
  });
}

TEST_CASE("without the gate no cluster joins a set by itself", "[apiserver][admission]") {
  api_fixture f(kind_set::hub, [](api_options& o) { o.default_cluster_set = false; });
  f.access.denies = [](const access_question& q) { return q.subresource == "join"; };
  const auto made = run(f, create(named("c1")));
  CHECK(made.code == 201);
  CHECK(label_of(made.json, set_label).empty());
}

TEST_CASE("checks of ManagedClusters", "[apiserver][admission]") {
  const auto going = [] {
    return std::vector<step>{{"POST", "/api/v1/namespaces", named("c1")}, {"DELETE", "/api/v1/namespaces/c1", {}}};
  };
  auto going_with_cluster = going();
  going_with_cluster.push_back(create(named("c1")));
  check({
      {"a URL is https", {}, "", create(named("c1", url("http://x"))), 422, "must be an https URL"},
      {"a URL has a host", {}, "", create(named("c1", url("https://"))), 422, "must be an https URL"},
      {"a URL is https in updates too",
       {create(named("c1"))},
       "",
       patched({{"spec", url("ftp://x")}}),
       422,
       "must be an https URL"},
      {"an https URL", {}, "", create(named("c1", url("https://x:6443/a"))), 201, ""},
      {"a taint's effect is one of three",
       {},
       "",
       create(named("c1", tainted(taint({{"effect", "NoExecute"}})))),
       422,
       "supported values"},
      {"a taint's key is a qualified name",
       {},
       "",
       create(named("c1", tainted(taint({{"key", "a b"}})))),
       422,
       "spec.taints[0].key"},
      {"a taint's key has 316 characters at most",
       {},
       "",
       create(named("c1", tainted(taint({{"key", std::string(317, 'k')}})))),
       422,
       "spec.taints[0].key"},
      {"a taint's value has 1024 characters at most",
       {},
       "",
       create(named("c1", tainted(taint({{"value", std::string(1025, 'v')}})))),
       422,
       "spec.taints[0].value"},
      {"a name is a namespace's name, with URLs", {}, "", create(named("a.b", url("https://x"))), 422, "is not valid"},
      {"the set default needs join, too",
       {},
       join_default,
       create(named("c1")),
       403,
       "cannot add/remove a ManagedCluster to/from the ManagedClusterSet"},
      {"joining a set at creation", {}, join_red, create(named("c1", {}, in_set("red"))), 403, "cannot add/remove"},
      {"joining by server-side apply", {}, join_red, applied(named("c1", {}, in_set("red"))), 403, "cannot add/remove"},
      {"joining by an update needs the new set",
       {create(named("c1", {}, in_set("blue")))},
       join_red,
       patched(label_patch("red")),
       403,
       "cannot add/remove"},
      {"joining by an update needs the old set",
       {create(named("c1", {}, in_set("blue")))},
       join_blue,
       patched(label_patch("red")),
       403,
       "cannot add/remove"},
      {"leaving for default needs default",
       {create(named("c1", {}, in_set("blue")))},
       join_default,
       patched(label_patch(nullptr)),
       403,
       "cannot add/remove"},
      {"joining through a JSON patch",
       {create(named("c1", {}, in_set("blue")))},
       join_red,
       {"PATCH", clusters + "/c1",
        document::array({{{"op", "replace"},
                          {"path", "/metadata/labels/cluster.open-cluster-management.io~1clusterset"},
                          {"value", "red"}}}),
        json_patch},
       403,
       "cannot add/remove"},
      {"a set that stays needs nothing",
       {create(named("c1", {}, in_set("blue")))},
       join_blue,
       patched({{"metadata", {{"labels", {{"x", "y"}}}}}}),
       200,
       ""},
      {"accepting at creation",
       {},
       accept_c1,
       create(named("c1", accepting)),
       403,
       "cannot update the HubAcceptsClient"},
      {"accepting by an update",
       {create(named("c1"))},
       accept_c1,
       patched(accept_patch),
       403,
       "cannot update the HubAcceptsClient"},
      {"accepting by server-side apply",
       {create(named("c1"))},
       accept_c1,
       applied(named("c1", accepting)),
       403,
       "cannot update the HubAcceptsClient"},
      {"accepting through the status changes nothing",
       {create(named("c1"))},
       accept_c1,
       patched(accept_patch, "/status"),
       200,
       R"("spec":{"leaseDurationSeconds":60})"},
      {"refusing needs no right",
       {create(named("c1", accepting))},
       accept_c1,
       patched({{"spec", {{"hubAcceptsClient", false}}}}),
       200,
       ""},
      {"staying accepted needs no right",
       {create(named("c1", accepting))},
       accept_c1,
       patched({{"metadata", {{"labels", {{"x", "y"}}}}}}),
       200,
       ""},
      {"accepting into a namespace that is going, at creation", going(), "", create(named("c1", accepting)), 403,
       "terminat"},
      {"accepting into a namespace that is going, by an update", going_with_cluster, "", patched(accept_patch), 403,
       "terminat"},
      {"registering while the namespace is going", going(), "", create(named("c1")), 201, ""},
  });
}

TEST_CASE("checks of bindings", "[apiserver][admission]") {
  const auto made = bind("red", "red");
  check({
      {"the name is the set's", {}, "", bind("red", "blue"), 400, "must have the same name as the target"},
      {"the name is the set's in updates",
       {made},
       "",
       {"PATCH", bindings + "/red", {{"spec", {{"clusterSet", "blue"}}}}, merge},
       400,
       "must have the same name"},
      {"binding needs the right", {}, bind_red, made, 403, "is not allowed to bind cluster set"},
      {"binding by server-side apply needs it",
       {},
       bind_red,
       {"PATCH",
        bindings + "/red?fieldManager=me",
        {{"apiVersion", "cluster.open-cluster-management.io/v1beta2"},
         {"kind", "ManagedClusterSetBinding"},
         {"metadata", {{"name", "red"}}},
         {"spec", {{"clusterSet", "red"}}}},
        apply},
       403,
       "is not allowed to bind cluster set"},
      {"an update needs no right to bind",
       {made},
       bind_red,
       {"PATCH", bindings + "/red", {{"metadata", {{"labels", {{"x", "y"}}}}}}, merge},
       200,
       ""},
      {"a set need not be there", {}, "", made, 201, ""},
  });
}

TEST_CASE("what OCM lets through and this hub refuses", "[apiserver][admission]") {
  const document unknown = {{"key", "env"}, {"operator", "Near"}};
  check({
      // OCM's check of the name ends with success when there are no client configs.
      {"a bad name without URLs", {}, "", create(named("a.b")), 422, "is not valid"},
      {"a name that is too long for a namespace", {}, "", create(named(std::string(64, 'c'))), 422, "is not valid"},
      {"a bad name by server-side apply", {}, "", applied(named("a.b")), 422, "is not valid"},
      // Whoever is accepted as `kube-system` would get rights in that namespace.
      {"the name default", {}, "", create(named("default")), 422, "is reserved"},
      {"the name kube-system", {}, "", create(named("kube-system")), 422, "is reserved"},
      {"any kube- name", {}, "", create(named("kube-mine")), 422, "is reserved"},
      {"a generated kube- name", {}, "", create({{"metadata", {{"generateName", "kube-"}}}}), 422, "is reserved"},
      // OCM's controller fails forever on such a set, and says so only in its log.
      {"an unknown operator",
       {},
       "",
       create_set(named("s", choosing(unknown))),
       422,
       "is not a valid label selector operator"},
      {"an operator without values",
       {},
       "",
       create_set(named("s", choosing({{"key", "env"}, {"operator", "In"}}))),
       422,
       "values must be given"},
      {"an operator with too many",
       {},
       "",
       create_set(named("s", choosing({{"key", "env"}, {"operator", "Exists"}, {"values", {"x"}}}))),
       422,
       "values must not be given"},
      {"a key that no label has",
       {},
       "",
       create_set(named("s", choosing({{"key", "a b"}, {"operator", "Exists"}}))),
       422,
       "matchExpressions[0]"},
      {"a broken selector in an update",
       {create_set(named("s"))},
       "",
       {"PATCH", sets + "/s", {{"spec", choosing(unknown)}}, merge},
       422,
       "is not a valid label selector operator"},
      {"a negative lease", {}, "", create(named("c1", {{"leaseDurationSeconds", -1}})), 422, "leaseDurationSeconds"},
  });
}

TEST_CASE("a cluster from before the gate was on is in no set until somebody may let it join",
          "[apiserver][admission]") {
  api_fixture f;
  auto old = named("c1");
  old["metadata"]["finalizers"] = {"example.com/mine"};
  REQUIRE(run(f, create(old)).code == 201);
  auto stored = decode_record(**f.data->get({"managedclusters.cluster.open-cluster-management.io", "", "c1"}));
  REQUIRE(stored);
  (*stored)["metadata"].erase("labels");
  batch b;
  b.puts.push_back({{"managedclusters.cluster.open-cluster-management.io", "", "c1"}, encode_body(*stored), {}});
  f.data->submit(std::move(b), [](const result<commit>&) {});
  f.access.denies = [](const access_question& q) { return q.subresource == "join"; };
  const auto annotation = [](const char* value) {
    return patched({{"metadata", {{"annotations", {{"example.com/a", value}}}}}});
  };
  auto next = run(f, annotation("1"));
  CHECK(next.code == 200);
  CHECK(label_of(next.json, set_label).empty());
  CHECK(run(f, patched(label_patch("red"))).code == 403);
  f.access.denies = nullptr;
  next = run(f, annotation("2"));
  CHECK(label_of(next.json, set_label) == "default");
}

TEST_CASE("a cluster that is going joins no set any more", "[apiserver][admission]") {
  api_fixture f;
  auto old = named("c1");
  old["metadata"]["finalizers"] = {"example.com/mine"};
  REQUIRE(run(f, create(old)).code == 201);
  f.del(clusters + "/c1");
  const auto unlabelled = run(f, patched(label_patch(nullptr)));
  CHECK(unlabelled.code == 200);
  CHECK(label_of(unlabelled.json, set_label).empty());
  f.access.denies = [](const access_question& q) { return q.subresource == "join"; };
  CHECK(run(f, patched({{"metadata", {{"finalizers", nullptr}}}})).code == 200);
  CHECK(f.get(clusters + "/c1").code == 404);
}

TEST_CASE("an exclusive set whose name is too long for a label warns", "[apiserver][admission]") {
  api_fixture f;
  const auto made = run(f, create_set(named(std::string(64, 's'))));
  CHECK(made.code == 201);
  REQUIRE(made.headers.contains("Warning"));
  CHECK(made.headers.at("Warning").find("no cluster can be in this set") != std::string::npos);
}
