#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* works = "/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks";
constexpr const char* clusters = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
constexpr const char* csrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

document cluster(const std::string& name, document spec = document::object()) {
  return {{"metadata", {{"name", name}}}, {"spec", std::move(spec)}};
}

document csr(const std::string& name) {
  return {
      {"metadata", {{"name", name}}},
      {"spec",
       {{"request", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=="},
        {"signerName", "kubernetes.io/kube-apiserver-client"},
        {"usages", {"client auth"}},
        {"username", "somebody-else"}}}};
}

document decision(const char* type) {
  return {{"status", {{"conditions", {{{"type", type}, {"status", "True"}, {"reason", "R"}, {"message", "m"}}}}}}};
}

}  // namespace

TEST_CASE("a ManifestWork needs good manifests", "[apiserver][admission]") {
  api_fixture f(kind_set::hub, [](api_options& o) { o.manifest_limit_bytes = 400; });
  f.make_namespace("n");
  struct row {
    const char* rule;
    std::function<void(document&)> spoil;
    const char* message;
  };
  const row rows[] = {
      {"not empty", [](document& d) { d["spec"]["workload"]["manifests"] = document::array(); },
       "spec.workload.manifests: at least one manifest is required"},
      {"a name", [](document& d) { d["spec"]["workload"]["manifests"][1]["metadata"].erase("name"); },
       "spec.workload.manifests[1]: metadata.name is required in a manifest"},
      {"no generateName", [](document& d) { d["spec"]["workload"]["manifests"][0]["metadata"]["generateName"] = "x-"; },
       "spec.workload.manifests[0]: metadata.generateName is not allowed in a manifest"},
      {"no duplicates", [](document& d) { d["spec"]["workload"]["manifests"][1]["metadata"]["name"] = "a"; },
       "spec.workload.manifests[1]: the manifest v1 ConfigMap \"default/a\" is listed twice"},
  };
  for (const auto& r : rows) {
    INFO(r.rule);
    auto doc = manifest_work("w", {"a", "b"});
    r.spoil(doc);
    auto got = f.post(works, doc);
    CHECK(got.code == 400);
    CHECK(got.message() == r.message);
  }
  auto kindless = manifest_work("w");
  kindless["spec"]["workload"]["manifests"][0].erase("kind");
  CHECK(
      f.post(works, kindless).message() ==
      "ManifestWork.work.open-cluster-management.io \"w\" is invalid: spec.workload.manifests[0].kind: Required value");
  auto big = f.post(works, manifest_work("w", {"a", "b", "c", "d", "e"}));
  CHECK(big.code == 400);
  CHECK_THAT(big.message(), Catch::Matches("the size of manifests is \\d+ bytes which exceeds the 400 limit"));
  CHECK(f.post(works, manifest_work("w", {"a", "b"})).code == 201);
}

TEST_CASE("an executor must be one that the caller may act as", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("n");
  f.access.denies = [](const access_question& q) { return q.verb == "execute-as"; };
  auto doc = manifest_work("w");
  doc["spec"]["executor"] = {
      {"subject", {{"type", "ServiceAccount"}, {"serviceAccount", {{"namespace", "default"}, {"name", "sa"}}}}}};
  auto refused = f.post(works, doc);
  CHECK(refused.code == 400);
  CHECK_THAT(refused.message(), Catch::Contains("system:serviceaccount:default:sa"));
  f.access.denies = nullptr;
  CHECK(f.post(works, doc).code == 201);
  f.access.denies = [](const access_question& q) { return q.verb == "execute-as"; };
  CHECK(f.patch(std::string(works) + "/w", {{"metadata", {{"labels", {{"x", "y"}}}}}}).code == 200);
}

TEST_CASE("a ManagedCluster's name, URLs and taints", "[apiserver][admission]") {
  api_fixture f;
  CHECK(f.post(clusters, cluster("a.b")).code == 422);
  auto url = f.post(clusters, cluster("c", {{"managedClusterClientConfigs", {{{"url", "http://x"}}}}}));
  CHECK(url.code == 422);
  CHECK_THAT(
      url.message(),
      Catch::Contains("spec.managedClusterClientConfigs[0].url: Invalid value: \"http://x\": must be an https URL"));
  auto made = f.post(
      clusters,
      cluster("c", {{"taints", {{{"key", "k"}, {"effect", "NoSelect"}, {"timeAdded", "2001-01-01T00:00:00Z"}}}}}));
  REQUIRE(made.code == 201);
  CHECK(made.json["spec"]["taints"][0]["timeAdded"] == "2026-01-02T03:04:05Z");
  auto next = made.json;
  next["spec"]["taints"].push_back({{"key", "l"}, {"effect", "NoSelect"}});
  f.timer.advance(std::chrono::seconds(60));
  auto more = f.put(std::string(clusters) + "/c", next);
  CHECK(more.json["spec"]["taints"][0]["timeAdded"] == "2026-01-02T03:04:05Z");
  CHECK(more.json["spec"]["taints"][1]["timeAdded"] == "2026-01-02T03:05:05Z");
  next = more.json;
  next["spec"]["taints"][1]["timeAdded"] = "2001-01-01T00:00:00Z";
  CHECK(f.put(std::string(clusters) + "/c", next).code == 400);
}

TEST_CASE("only who may accept a cluster can set hubAcceptsClient", "[apiserver][admission]") {
  api_fixture f;
  f.access.denies = [](const access_question& q) { return q.group == "register.open-cluster-management.io"; };
  auto refused = f.post(clusters, cluster("c", {{"hubAcceptsClient", true}}));
  CHECK(refused.code == 403);
  CHECK(
      refused.message() ==
      "managedclusters.cluster.open-cluster-management.io \"c\" is forbidden: user \"admin\" cannot update the HubAcceptsClient field");
  CHECK(f.post(clusters, cluster("c")).code == 201);
  CHECK(f.patch(std::string(clusters) + "/c", {{"spec", {{"hubAcceptsClient", true}}}}).code == 403);
  access_question asked;
  f.access.denies = [&](const access_question& q) {
    if (q.subresource == "accept") asked = q;
    return false;
  };
  CHECK(f.patch(std::string(clusters) + "/c", {{"spec", {{"hubAcceptsClient", true}}}}).code == 200);
  CHECK(asked.verb == "update");
  CHECK(asked.resource == "managedclusters");
  CHECK(asked.name == "c");
  f.access.denies = [](const access_question& q) { return q.subresource == "accept"; };
  CHECK(f.patch(std::string(clusters) + "/c", {{"spec", {{"leaseDurationSeconds", 30}}}}).code == 200);
  CHECK(f.patch(std::string(clusters) + "/c", {{"spec", {{"hubAcceptsClient", false}}}}).code == 200);
}

TEST_CASE("what the hub writes down of a cluster is for those who may accept it", "[apiserver][admission]") {
  api_fixture f;
  const auto path = std::string(clusters) + "/c";
  const auto noted = [&](document annotations) {
    auto c = cluster("c");
    c["metadata"]["annotations"] = std::move(annotations);
    return c;
  };
  const document own = {{"registration.wheelhouse.io/public-key-sha256", "k"},
                        {"open-cluster-management.io/automatically-accepted-on", "t"},
                        {"agent.open-cluster-management.io/mine", "1"}};
  CHECK(f.post(clusters, noted(own)).code == 201);
  f.access.denies = [](const access_question& q) { return q.subresource == "accept"; };
  const auto with = [&](const char* key, document value) {
    return f.patch(path, {{"metadata", {{"annotations", {{key, std::move(value)}}}}}}).code;
  };
  CHECK(with("registration.wheelhouse.io/public-key-sha256", "other") == 403);
  CHECK(with("registration.wheelhouse.io/certificate-since", "2999-01-01T00:00:00Z") == 403);
  CHECK(with("open-cluster-management.io/automatically-accepted-on", nullptr) == 403);
  CHECK(with("agent.open-cluster-management.io/mine", "2") == 200);
  auto whole = f.get(path).json;
  whole["metadata"]["labels"]["a"] = "b";
  CHECK(f.put(path, whole).code == 200);
  whole = f.get(path).json;
  whole["metadata"].erase("annotations");
  CHECK(f.put(path, whole).code == 403);
  CHECK(f.post(clusters, noted({{"registration.wheelhouse.io/detach", "force"}})).code == 403);
}

TEST_CASE("a cluster whose namespace is going cannot be accepted", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("c");
  f.del("/api/v1/namespaces/c");
  CHECK(f.post(clusters, cluster("c", {{"hubAcceptsClient", true}})).code == 403);
  CHECK(f.post(clusters, cluster("c")).code == 201);
}

TEST_CASE("joining a set needs the right to both sets", "[apiserver][admission]") {
  api_fixture f;
  f.post(clusters, cluster("c"));
  f.access.denies = [](const access_question& q) { return q.subresource == "join" && q.name == "red"; };
  auto label = [&](const document& set) {
    return f
        .patch(std::string(clusters) + "/c",
               {{"metadata", {{"labels", {{"cluster.open-cluster-management.io/clusterset", set}}}}}})
        .code;
  };
  CHECK(label("red") == 403);
  CHECK(label("blue") == 200);
  f.access.denies = [](const access_question& q) { return q.subresource == "join" && q.name == "blue"; };
  CHECK(label(nullptr) == 403);
}

TEST_CASE("a namespace's life", "[apiserver][admission]") {
  api_fixture f;
  auto made = f.post("/api/v1/namespaces", {{"metadata", {{"name", "x"}}}});
  CHECK(made.json["spec"]["finalizers"] == document({"kubernetes"}));
  CHECK(made.json["status"]["phase"] == "Active");
  CHECK(label_of(made.json, "kubernetes.io/metadata.name") == "x");
  CHECK(f.patch("/api/v1/namespaces/x", {{"spec", {{"finalizers", nullptr}}}}).json["spec"]["finalizers"].size() == 1);
  auto going = f.del("/api/v1/namespaces/x");
  CHECK(going.json["status"]["phase"] == "Terminating");
  CHECK(is_deleting(going.json));
  auto late = f.make_config_map("x", "a");
  CHECK(late.code == 403);
  CHECK(late.message() ==
        "configmaps \"a\" is forbidden: unable to create new content in namespace x because it is being terminated");
  CHECK(late.json["details"]["causes"][0]["reason"] == "NamespaceTerminating");
  auto next = going.json;
  next["spec"]["finalizers"] = document::array();
  CHECK(f.put("/api/v1/namespaces/x/finalize", next).code == 200);
  CHECK(f.get("/api/v1/namespaces/x").code == 404);
  f.make_namespace("default");
  CHECK(f.del("/api/v1/namespaces/default").code == 403);
}

TEST_CASE("secrets take plain strings and keep their promises", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("n");
  auto made = f.post("/api/v1/namespaces/n/secrets",
                     {{"metadata", {{"name", "s"}}}, {"stringData", {{"a", "hello"}}}, {"immutable", true}});
  REQUIRE(made.code == 201);
  CHECK(made.json["data"]["a"] == "aGVsbG8=");
  CHECK(made.json["type"] == "Opaque");
  CHECK_FALSE(made.json.contains("stringData"));
  auto changed = f.patch("/api/v1/namespaces/n/secrets/s", {{"stringData", {{"a", "bye"}}}});
  CHECK(changed.message() == "Secret \"s\" is invalid: data: Forbidden: field is immutable when `immutable` is set");
  CHECK(f.patch("/api/v1/namespaces/n/secrets/s", {{"type", "other"}}).code == 422);
  CHECK(f.patch("/api/v1/namespaces/n/secrets/s", {{"metadata", {{"labels", {{"x", "y"}}}}}}).code == 200);
}

TEST_CASE("keys of ConfigMaps and Secrets can be names of files", "[apiserver][admission]") {
  api_fixture f;
  f.make_namespace("n");
  auto with_key = [&](const char* plural, const char* field, const std::string& key) {
    return f.call("POST", std::string("/api/v1/namespaces/n/") + plural + "?dryRun=All",
                  document({{"metadata", {{"name", "a"}}}, {field, {{key, "dg=="}}}}).dump());
  };
  for (const char* key : {"a", ".a", "A_b-c.d", "0"}) CHECK(with_key("configmaps", "data", key).code == 201);
  for (const char* key : {"", "k=", "a/b", ".", "..", "..a", "a b"}) {
    INFO(key);
    CHECK(with_key("configmaps", "data", key).code == 422);
    CHECK(with_key("configmaps", "binaryData", key).code == 422);
    CHECK(with_key("secrets", "data", key).code == 422);
  }
  CHECK(with_key("configmaps", "data", "k=")
            .message()
            .starts_with(
                "ConfigMap \"a\" is invalid: data[k=]: Invalid value: \"k=\": a valid config key must consist of"));
  CHECK(with_key("configmaps", "data", std::string(254, 'a')).code == 422);
}

TEST_CASE("a CSR says who asked, and only approval and signing change it", "[apiserver][admission]") {
  api_fixture f;
  auto made = f.call("POST", csrs, csr("x").dump(), {.user = {"alice", {"devs"}}});
  REQUIRE(made.code == 201);
  CHECK(made.json["spec"]["username"] == "alice");
  CHECK(made.json["spec"]["groups"] == document({"devs"}));
  auto target = std::string(csrs) + "/x";
  CHECK(f.patch(target, {{"spec", {{"username", "root"}}}}).json["spec"] == made.json["spec"]);
  CHECK(f.patch(target, decision("Approved")).json["status"] == document::object());
  auto by_status = f.patch(target + "/status", decision("Approved"));
  CHECK(condition_status(by_status.json, "Approved").empty());
  f.access.denies = [](const access_question& q) { return q.verb == "approve"; };
  auto refused = f.patch(target + "/approval", decision("Approved"));
  CHECK(refused.code == 403);
  CHECK_THAT(refused.message(),
             Catch::Contains(
                 "user not permitted to approve requests with signerName \"kubernetes.io/kube-apiserver-client\""));
  f.access.denies = nullptr;
  auto approved = f.patch(target + "/approval", decision("Approved"));
  CHECK(condition_status(approved.json, "Approved") == "True");
  CHECK(approved.json["status"]["conditions"][0]["lastUpdateTime"] == "2026-01-02T03:04:05Z");
  CHECK(f.patch(target + "/approval", decision("Denied")).code == 422);
  f.access.denies = [](const access_question& q) { return q.verb == "sign"; };
  CHECK(f.patch(target + "/status", {{"status", {{"certificate", "eA=="}}}}).code == 403);
  f.access.denies = nullptr;
  auto issued = f.patch(target + "/status", {{"status", {{"certificate", "eA=="}}}});
  CHECK(issued.json["status"]["certificate"] == "eA==");
  CHECK(condition_status(issued.json, "Approved") == "True");
  CHECK(f.patch(target + "/status", {{"status", {{"certificate", "eQ=="}}}}).code == 422);
}
