#include "actors/hub/certificate_authority.hpp"

#include "actor_fixture.hpp"
#include "actors/names.hpp"
#include "base/encoding.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const object_key key{names::csrs, "", "c1-0123456789"};

document csr_of(const std::string& request, const std::string& cluster, const std::string& condition = "Approved") {
  document doc = {{"apiVersion", "certificates.k8s.io/v1"},
                  {"kind", "CertificateSigningRequest"},
                  {"metadata", {{"name", key.name}}},
                  {"spec", {{"request", to_base64(request)}, {"signerName", names::client_signer}}}};
  if (!cluster.empty()) doc["metadata"]["labels"] = {{names::cluster_name_label, cluster}};
  if (!condition.empty()) doc["status"]["conditions"] = {{{"type", condition}, {"status", "True"}}};
  return doc;
}

/// The certificate or the failure message that the authority writes for this request.
std::pair<std::string, std::string> verdict(const document& csr) {
  bench_top b;
  certificate_authority self;
  b.put_document(key, csr);
  b.handle(self, object_changed{
                     {.key = key, .rev = revision{1}, .body = encode_body(csr), .previous = {}, .previous_rev = {}}});
  const auto after = b.get(key);
  const document* conditions = find_path(after, {"status", "conditions"});
  const document* failed = conditions ? find_condition(*conditions, "Failed") : nullptr;
  return {std::string(string_at(after, {"status", "certificate"})),
          failed ? std::string(string_at(*failed, {"message"})) : std::string()};
}

}  // namespace

TEST_CASE("an approved request of a cluster is signed", "[certificate_authority]") {
  CHECK(from_base64(verdict(csr_of(cluster_csr("c1"), "c1")).first)
            .value()
            .starts_with("cert|system:open-cluster-management:c1:a1"));
}

TEST_CASE("a request without approval, or denied, is left alone", "[certificate_authority]") {
  CHECK(verdict(csr_of(cluster_csr("c1"), "c1", "")) == std::pair<std::string, std::string>{});
  auto both = csr_of(cluster_csr("c1"), "c1");
  both["status"]["conditions"].push_back({{"type", "Denied"}, {"status", "True"}});
  CHECK(verdict(both).first.empty());
}

TEST_CASE("no approval gives another cluster's identity or the administrators' group", "[certificate_authority]") {
  const std::string group = "system:open-cluster-management:";
  for (const auto& [request, label] : std::vector<std::pair<std::string, std::string>>{
           {cluster_csr("c10"), "c1"},
           {cluster_csr("c1"), "c10"},
           {cluster_csr("c1"), ""},
           {fake_csr(group + "c1:a:b", group + "c1", "k"), "c1"},
           {fake_csr(group + "c1:", group + "c1", "k"), "c1"},
           {fake_csr(group + "c1:a", group + "c1;" + group + "c2", "k"), "c1"},
           {fake_csr("someone", "system:masters", "k"), ""}}) {
    INFO(request << " labelled " << label);
    const auto [certificate, failure] = verdict(csr_of(request, label));
    CHECK(certificate.empty());
    CHECK_FALSE(failure.empty());
  }
}

TEST_CASE("an ordinary user's approved request is signed", "[certificate_authority]") {
  CHECK_FALSE(verdict(csr_of(fake_csr("alice", "viewers", "k"), "")).first.empty());
}

TEST_CASE("requests approved while nobody watched are signed at the start", "[certificate_authority]") {
  bench_top b;
  certificate_authority self;
  b.put_document(key, csr_of(cluster_csr("c1"), "c1"));
  b.start(self);
  CHECK_FALSE(string_at(b.get(key), {"status", "certificate"}).empty());
}
