#include "actors/hub/gatekeeper.hpp"

#include "actor_fixture.hpp"
#include "actors/names.hpp"
#include "base/encoding.hpp"

using namespace wh;
using namespace wh::test;

namespace {

document token_secret(const bench_top& b, duration life, const std::string& uses = "") {
  document data = {{"token-id", to_base64("abc123")},
                   {"token-secret-sha256", to_base64("sha-of-s3cret")},
                   {"usage-bootstrap-join", to_base64("true")},
                   {"expiration", to_base64(to_rfc3339(b.now + life))}};
  if (!uses.empty()) data["uses-remaining"] = to_base64(uses);
  return {{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "bootstrap-token-abc123"}}}, {"data", data}};
}

join_asked join(const std::string& token, const std::string& cluster = "c1", const std::string& csr = "") {
  return {.session = session_id{4},
          .cluster = cluster,
          .agent = "a1",
          .request = {.token = token, .csr_pem = csr.empty() ? cluster_csr(cluster) : csr, .annotations = {}},
          .remote = "127.0.0.1:1"};
}

std::string refusal(const outbox& out) {
  const auto all = frames<refused>(out);
  return all.empty() ? "" : all[0].message;
}

struct gate {
  bench_top b;
  gatekeeper self;
  gate(duration life = std::chrono::hours(1), const std::string& uses = "") {
    b.put_document(bootstrap_token_key("abc123"), token_secret(b, life, uses));
  }
  outbox ask(const join_asked& m) { return b.handle(self, m); }
};

}  // namespace

TEST_CASE("a good token passes the join on to the cluster's actor", "[gatekeeper]") {
  gate g;
  const auto out = g.ask(join("abc123.s3cret"));
  REQUIRE(out.sends.size() == 1);
  CHECK(out.sends[0].to == address{actor_kind::managed_cluster, "c1"});
  CHECK(std::holds_alternative<join_asked>(out.sends[0].body));
}

TEST_CASE("a wrong secret, an unknown id and a malformed token get the same answer", "[gatekeeper]") {
  gate g;
  for (const auto* token : {"abc123.wrong", "nobody.s3cret", "abc123", "", ".", ".s3cret"}) {
    const auto out = g.ask(join(token));
    INFO(token);
    CHECK(refusal(out).find("not valid on this hub") != std::string::npos);
    CHECK(sent<join_asked>(out).empty());
  }
}

TEST_CASE("an expired token is refused and says so", "[gatekeeper]") {
  gate g(-std::chrono::seconds(1));
  CHECK(refusal(g.ask(join("abc123.s3cret"))).find("expired") != std::string::npos);
}

TEST_CASE("a token with two uses lets two clusters in and refuses the third", "[gatekeeper]") {
  gate g(std::chrono::hours(1), "2");
  CHECK(refusal(g.ask(join("abc123.s3cret", "c1"))).empty());
  CHECK(refusal(g.ask(join("abc123.s3cret", "c2"))).empty());
  CHECK(refusal(g.ask(join("abc123.s3cret", "c3"))).find("used up") != std::string::npos);
}

TEST_CASE("a join that a crash of the hub cut short takes one use of the token", "[gatekeeper]") {
  gate g(std::chrono::hours(1), "1");
  CHECK(refusal(g.ask(join("abc123.s3cret", "c1"))).empty());
  // The cluster's actor never got it: there is no ManagedCluster.
  CHECK(sent<join_asked>(g.ask(join("abc123.s3cret", "c1"))).size() == 1);
  CHECK(refusal(g.ask(join("abc123.s3cret", "c2"))).find("used up") != std::string::npos);
}

TEST_CASE("a token for many clusters remembers only the latest joins", "[gatekeeper]") {
  gate g(std::chrono::hours(1), "300");
  for (int i = 0; i < 299; ++i) g.ask(join("abc123.s3cret", "c" + std::to_string(i)));
  g.ask(join("abc123.s3cret", "c298"));
  CHECK(g.ask(join("abc123.s3cret", "c0")).writes.puts.size() == 1);
  CHECK(refusal(g.ask(join("abc123.s3cret", "c1"))).find("used up") != std::string::npos);
  CHECK(refusal(g.ask(join("abc123.s3cret", "c298"))).empty());
}

TEST_CASE("the key that owns the name asks again without using the token, even when it has expired", "[gatekeeper]") {
  gate g(-std::chrono::seconds(1), "0");
  g.b.put_document(
      {names::managed_clusters, "", "c1"},
      {{"apiVersion", "cluster.open-cluster-management.io/v1"},
       {"kind", "ManagedCluster"},
       {"metadata", {{"name", "c1"}, {"annotations", {{names::key_annotation, "key-digest-0123456789"}}}}}});
  CHECK(refusal(g.ask(join("abc123.s3cret"))).empty());
  CHECK_FALSE(refusal(g.ask(join("abc123.wrong"))).empty());
}

TEST_CASE("a request for another cluster's identity is refused", "[gatekeeper]") {
  gate g;
  const std::string group = "system:open-cluster-management:";
  const std::string all = ";system:open-cluster-management:managed-clusters";
  for (const auto& csr :
       {cluster_csr("c10"), fake_csr(group + "c1:a1", group + "c10" + all, "k"),
        fake_csr(group + "c1:a1:x", group + "c1" + all, "k"), fake_csr(group + "c1:a1", group + "c1", "k"),
        fake_csr(group + "c1:a1", group + "c1" + all + ";system:masters", "k"),
        fake_csr("admin", "system:masters", "k")}) {
    INFO(csr);
    CHECK(refusal(g.ask(join("abc123.s3cret", "c1", csr))).find("does not ask for the identity") != std::string::npos);
  }
}

TEST_CASE("the hub's own namespaces cannot be taken as cluster names", "[gatekeeper]") {
  gate g;
  for (const auto* name : {"default", "kube-system", "kube-public", "kube-anything"}) {
    const auto out = g.ask(join("abc123.s3cret", name));
    CHECK(refusal(out).find("reserved") != std::string::npos);
    CHECK(sent<join_asked>(out).empty());
  }
  CHECK(refusal(g.ask(join("abc123.s3cret", "kubernetes"))).empty());
}

TEST_CASE("names that are no namespace names are refused", "[gatekeeper]") {
  gate g;
  for (const auto& name : {std::string("C1"), std::string("-c"), std::string("c."), std::string("a:b"),
                           std::string(64, 'x'), std::string()})
    CHECK(refusal(g.ask(join("abc123.s3cret", name))).find("is not valid") != std::string::npos);
}
