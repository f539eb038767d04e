#include "actors/hub/csr_approval.hpp"

#include "actors/hub/certificate_authority.hpp"
#include "hub_bench.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const std::string prefix = "system:open-cluster-management:";
const std::string all_clusters = "system:open-cluster-management:managed-clusters";
const object_key csr_key{names::csrs, "", "some-request"};

struct request {
  std::string cn = prefix + "c1:a1";
  std::string groups = prefix + "c1;" + all_clusters;
  std::string label = "c1";
  std::string user = "bootstrap";
  std::string signer = names::client_signer;
  std::string key = "key";
};

document csr_of(const request& r) {
  document doc = {
      {"apiVersion", "certificates.k8s.io/v1"},
      {"kind", "CertificateSigningRequest"},
      {"metadata", {{"name", csr_key.name}, {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
      {"spec",
       {{"request", to_base64(fake_csr(r.cn, r.groups, r.key))}, {"signerName", r.signer}, {"username", r.user}}}};
  if (!r.label.empty()) doc["metadata"]["labels"] = {{names::cluster_name_label, r.label}};
  return doc;
}

document cluster_doc(bool accepted, const std::string& key = "") {
  document doc = {{"apiVersion", "cluster.open-cluster-management.io/v1"},
                  {"kind", "ManagedCluster"},
                  {"metadata", {{"name", "c1"}, {"uid", "u"}}},
                  {"spec", {{"hubAcceptsClient", accepted}}}};
  if (!key.empty()) doc["metadata"]["annotations"] = {{names::key_annotation, key}};
  return doc;
}

struct approval_bench {
  bench_top b;
  certificate_authority self;

  /// What the authority makes of the request.
  std::string fate(const request& r) {
    b.put_document(csr_key, csr_of(r));
    b.handle(self, object_changed{
                       {.key = csr_key, .rev = {}, .body = b.read(csr_key)->body, .previous = {}, .previous_rev = {}}});
    const auto doc = b.get(csr_key);
    if (!string_at(doc, {"status", "certificate"}).empty()) return "signed";
    return condition_status(doc, "Failed") == "True" ? "failed" : "pending";
  }
};

}  // namespace

TEST_CASE("a renewal is approved for exactly the identity that asks, while the cluster is accepted", "[csr_approval]") {
  approval_bench t;
  const std::string self_user = prefix + "c1:a1";
  SECTION("accepted") {
    t.b.put_document(cluster_key, cluster_doc(true));
    CHECK(t.fate({.user = self_user}) == "signed");
    const auto doc = t.b.get(csr_key);
    const auto* approved = find_condition(doc["status"]["conditions"], "Approved");
    REQUIRE(approved);
    CHECK(string_at(*approved, {"reason"}) == "AutoApprovedByHubCSRApprovingController");
  }
  SECTION("without the group of all clusters") {
    t.b.put_document(cluster_key, cluster_doc(true));
    CHECK(t.fate({.groups = prefix + "c1", .user = self_user}) == "signed");
  }
  SECTION("denied") {
    t.b.put_document(cluster_key, cluster_doc(false));
    CHECK(t.fate({.user = self_user}) == "pending");
  }
  SECTION("being deleted") {
    auto doc = cluster_doc(true);
    doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    t.b.put_document(cluster_key, doc);
    CHECK(t.fate({.user = self_user}) == "pending");
  }
  SECTION("no such cluster") { CHECK(t.fate({.user = self_user}) == "pending"); }
  SECTION("another agent of the same cluster asks") {
    t.b.put_document(cluster_key, cluster_doc(true));
    CHECK(t.fate({.user = prefix + "c1:a2"}) == "pending");
  }
}

TEST_CASE("requests that are not exactly their cluster's are never approved automatically", "[csr_approval]") {
  approval_bench t;
  t.self.settings = {.auto_approval = true, .auto_approved_users = {"bootstrap"}};
  t.b.put_document(cluster_key, cluster_doc(true));
  const std::vector<std::pair<std::string, request>> tricks = {
      {"no label", {.label = ""}},
      {"the label of another cluster", {.label = "c10"}},
      {"c10's name under c1's label", {.cn = prefix + "c10:a1"}},
      {"c10's group under c1's label", {.groups = prefix + "c10"}},
      {"O of c1, CN of c10", {.cn = prefix + "c10:a1", .groups = prefix + "c1"}},
      {"an extra colon", {.cn = prefix + "c1:a1:x"}},
      {"no agent", {.cn = prefix + "c1:"}},
      {"no agent and no colon", {.cn = prefix + "c1"}},
      {"both groups", {.groups = prefix + "c1;" + prefix + "c2"}},
      {"a third group", {.groups = prefix + "c1;" + all_clusters + ";system:masters"}},
      {"only the group of all clusters", {.groups = all_clusters}},
      {"no group", {.groups = ""}},
      {"the group twice", {.groups = prefix + "c1;" + prefix + "c1"}},
      {"letters that look alike",
       {.cn = prefix + "\u0441"
                       "1:a1"}},
      {"a blank in the agent's name", {.cn = prefix + "c1:a 1"}},
      {"letters outside ASCII in the agent's name", {.cn = prefix + "c1:\u0430"}},
      {"another signer", {.signer = "kubernetes.io/kubelet-serving"}},
      {"the serving signer of somebody", {.signer = "example.com/x"}},
  };
  for (const auto& [what, r] : tricks) {
    INFO(what);
    CHECK(t.fate(r) == "pending");
    auto as_itself = r;
    as_itself.user = r.cn;
    CHECK(t.fate(as_itself) == "pending");
  }
}

TEST_CASE("listed users' requests are approved only with the gate on, and never for a name of another key",
          "[csr_approval]") {
  approval_bench t;
  t.self.settings = {.auto_approval = false, .auto_approved_users = {"bootstrap"}};
  CHECK(t.fate({}) == "pending");
  t.self.settings.auto_approval = true;
  CHECK(t.fate({}) == "signed");
  CHECK(t.fate({.user = "bootstrap2"}) == "pending");
  t.b.put_document(cluster_key, cluster_doc(true, "another-key"));
  CHECK(t.fate({}) == "pending");
  t.b.put_document(cluster_key, cluster_doc(true, key_digest));
  CHECK(t.fate({}) == "signed");
}

TEST_CASE("requests go when nobody needs them any more", "[csr_approval]") {
  approval_bench t;
  const auto after = [&](duration age, const char* condition) {
    auto doc = csr_of({});
    if (condition) doc["status"]["conditions"] = {{{"type", condition}, {"status", "True"}}};
    t.b.now = parse_rfc3339("2026-01-01T00:00:00Z").value() + age;
    t.b.put_document(csr_key, doc);
    t.b.handle(t.self, timer_fired{"clean"});
    return t.b.has(csr_key);
  };
  using std::chrono::hours, std::chrono::minutes;
  CHECK(after(hours(23), nullptr));
  CHECK_FALSE(after(hours(24), nullptr));
  CHECK(after(minutes(59), "Denied"));
  CHECK_FALSE(after(hours(1), "Denied"));
  CHECK_FALSE(after(hours(1), "Approved"));
}
