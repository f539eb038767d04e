#include "nodes/ctl/accept.hpp"

#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "nodes/ctl/cluster_requests.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"
#include "transport/pki.hpp"

using namespace wh;
using namespace wh::ctl;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const std::string csrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests/";

document csr_of(const std::string& name, const std::string& cluster, const std::string& agent) {
  const auto key = generate_key();
  const auto group = "system:open-cluster-management:" + cluster;
  const auto pem = make_csr(*key, {.common_name = group + ":" + agent, .organizations = {group}});
  return {{"metadata", {{"name", name}, {"labels", {{"open-cluster-management.io/cluster-name", cluster}}}}},
          {"spec",
           {{"signerName", "kubernetes.io/kube-apiserver-client"},
            {"request", to_base64(*pem)},
            {"username", "system:bootstrap:abcdef"}}}};
}

document cluster_of(const std::string& name, bool accepted, bool joined) {
  document cluster = {{"metadata", {{"name", name}}}, {"spec", {{"hubAcceptsClient", accepted}}}};
  for (const auto* type : {"ManagedClusterJoined", "ManagedClusterConditionAvailable"})
    if (joined) cluster["status"]["conditions"].push_back({{"type", type}, {"status", "True"}});
  return cluster;
}

}  // namespace

TEST_CASE("accept approves the request and accepts the cluster; again, it changes nothing", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", false, false);
  f.server.objects[csrs + "c1-x"] = csr_of("c1-x", "c1", "a1");
  CHECK(accept_clusters(f.console, {.names = {"c1"}}) == exit_ok);
  CHECK(f.out.str() == "c1: approved c1-x, accepted\n");
  CHECK(f.server.objects[clusters_path("c1")].at("spec").at("hubAcceptsClient") == true);
  const auto& condition = f.server.objects[csrs + "c1-x"].at("status").at("conditions").at(0);
  CHECK(condition.at("type") == "Approved");
  f.out.str("");
  const auto writes = f.server.count("PUT") + f.server.count("PATCH");
  CHECK(accept_clusters(f.console, {.names = {"c1", "c1"}}) == exit_ok);
  CHECK(f.out.str() == "c1: already accepted\n");
  CHECK(f.server.count("PUT") + f.server.count("PATCH") == writes);
}

TEST_CASE("accept approves nothing of other clusters, of other signers, or decided before", "[ctl]") {
  auto other_signer = csr_of("s", "c1", "a1");
  other_signer["spec"]["signerName"] = "example.com/other";
  auto denied = csr_of("d", "c1", "a1");
  denied["status"]["conditions"].push_back({{"type", "Denied"}, {"status", "True"}});
  auto issued = csr_of("i", "c1", "a1");
  issued["status"]["certificate"] = "…";
  const auto review =
      review_requests({csr_of("o", "c2", "a1"), other_signer, denied, issued, csr_of("p", "c1", "a1")}, "c1");
  REQUIRE(review.pending.size() == 1);
  CHECK(review.pending[0].name == "p");
  CHECK(review.pending[0].common_name == "system:open-cluster-management:c1:a1");
  REQUIRE(review.left.size() == 2);
  CHECK_THAT(review.left[0].why, Contains("another signer, example.com/other"));
  CHECK_THAT(review.left[1].why, Contains("kubectl delete csr d"));
}

TEST_CASE("accept refuses to choose between two agents that ask for one name", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", false, false);
  f.server.objects[csrs + "c1-x"] = csr_of("c1-x", "c1", "a1");
  f.server.objects[csrs + "c1-y"] = csr_of("c1-y", "c1", "a2");
  CHECK(accept_clusters(f.console, {.names = {"c1"}}) == exit_failure);
  CHECK_THAT(f.err.str(),
             Contains("several agents ask for this name: c1-x (") && Contains("whctl accept c1 --csr NAME"));
  CHECK(f.server.count("PUT") == 0);
  CHECK(accept_clusters(f.console, {.names = {"c1"}, .csrs = {"c1-y"}}) == exit_ok);
  CHECK_FALSE(f.server.objects[csrs + "c1-x"].contains("status"));
  CHECK(f.server.objects[csrs + "c1-y"].contains("status"));
}

TEST_CASE("accept refuses to choose between two keys that ask in one agent's name", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", false, false);
  f.server.objects[csrs + "c1-x"] = csr_of("c1-x", "c1", "a1");
  f.server.objects[csrs + "c1-copied"] = csr_of("c1-copied", "c1", "a1");
  CHECK(accept_clusters(f.console, {.names = {"c1"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("several agents ask for this name: c1-copied ("));
  CHECK(f.server.count("PUT") == 0);
}

TEST_CASE("accept does not let a second agent into a cluster that has joined", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", true, true);
  f.server.objects[csrs + "c1-evil"] = csr_of("c1-evil", "c1", "a2");
  CHECK(accept_clusters(f.console, {.names = {"c1"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("has joined already, and another agent asks for its name: c1-evil"));
  CHECK(f.server.count("PUT") == 0);
}

TEST_CASE("a renewal is left to the hub", "[ctl]") {
  auto renewal = csr_of("c1-r", "c1", "a1");
  renewal["spec"]["username"] = "system:open-cluster-management:c1:a1";
  const auto review = review_requests({renewal}, "c1");
  CHECK(review.pending.empty());
  CHECK_THAT(review.left.at(0).why, Contains("renewal"));
}

TEST_CASE("a request is approved only if its whole subject is the cluster's", "[ctl]") {
  const std::string prefix = "system:open-cluster-management:";
  const std::string own = prefix + "c1";
  const std::string all = prefix + "managed-clusters";
  struct sample {
    std::string common_name;
    std::vector<std::string> organizations;
    bool good;
  };
  const auto s = GENERATE_COPY(values<sample>({
      {own + ":a1", {own}, true},
      {own + ":a1", {all, own}, true},
      {own + ":a1", {}, false},
      {own + ":a1", {all}, false},
      {own + ":a1", {own, "system:masters"}, false},
      {own + ":a1", {own, own}, false},
      {own + ":a1", {prefix + "c10"}, false},
      {own + ":", {own}, false},
      {own, {own}, false},
      {own + ":a1:x", {own}, false},
      {own + "0:a1", {own}, false},
      {"SYSTEM:open-cluster-management:c1:a1", {own}, false},
      {prefix + "\xd1\x81" + "1:a1", {own}, false},
      {"admin", {own}, false},
  }));
  auto csr = csr_of("r", "c1", "a1");
  const auto key = generate_key();
  csr["spec"]["request"] = to_base64(*make_csr(*key, {.common_name = s.common_name, .organizations = s.organizations}));
  const auto review = review_requests({csr}, "c1");
  CHECK(review.pending.size() == (s.good ? 1 : 0));
  CHECK(review.left.size() == (s.good ? 0 : 1));
}

TEST_CASE("who asks for a cluster must be somebody who may bring one in", "[ctl]") {
  struct sample {
    std::string requester;
    bool unnamed;  ///< approved by whctl accept c1
    bool named;    ///< approved with --csr
  };
  const auto s = GENERATE(values<sample>({
      {"system:bootstrap:abcdef", true, true},
      {"system:serviceaccount:open-cluster-management:agent-registration-bootstrap", true, true},
      {"anna", false, true},
      {"system:open-cluster-management:c1:a2", false, true},
      {"system:open-cluster-management:c2:a1", false, false},
      {"system:open-cluster-management:c10:a1", false, false},
  }));
  auto csr = csr_of("r", "c1", "a1");
  csr["spec"]["username"] = s.requester;
  CHECK(review_requests({csr}, "c1").pending.size() == (s.unnamed ? 1 : 0));
  CHECK(review_requests({csr}, "c1", {"r"}).pending.size() == (s.named ? 1 : 0));
}

TEST_CASE("accept names the requests that it leaves alone, and fails for those it was given by name", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", false, false);
  f.server.objects[csrs + "c1-x"] = csr_of("c1-x", "c1", "a1");
  auto addon = csr_of("c1-addon", "c1", "a1");
  addon["metadata"]["labels"]["open-cluster-management.io/addon-name"] = "work-manager";
  f.server.objects[csrs + "c1-addon"] = addon;
  auto thief = csr_of("c1-evil", "c1", "a1");
  thief["spec"]["username"] = "system:open-cluster-management:c2:a1";
  f.server.objects[csrs + "c1-evil"] = thief;
  CHECK(accept_clusters(f.console, {.names = {"c1"}, .csrs = {"c1-evil"}}) == exit_failure);
  CHECK_THAT(f.err.str(),
             Contains("CSR c1-evil was not approved: it was made by system:open-cluster-management:c2:a1"));
  CHECK(f.server.objects[clusters_path("c1")].at("spec").at("hubAcceptsClient") == false);
  f.err.str("");
  CHECK(accept_clusters(f.console, {.names = {"c1"}}) == exit_ok);
  CHECK(f.out.str() == "c1: approved c1-x, accepted\n");
  CHECK_THAT(f.err.str(), Contains("c1: CSR c1-addon is left alone: it is add-on work-manager's") &&
                              Contains("c1: CSR c1-evil is left alone"));
  CHECK_FALSE(f.server.objects[csrs + "c1-evil"].contains("status"));
  CHECK(accept_clusters(f.console, {.names = {"c1"}, .csrs = {"typo"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("typo: no certificate request of this name"));
}

TEST_CASE("accepting a cluster that never asked says what to do, and fails", "[ctl]") {
  test::ctl_fixture f;
  CHECK(accept_clusters(f.console, {.names = {"c9"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("c9: it has not asked to join yet") && Contains("--wait"));
  f.err.str("");
  f.server.objects[clusters_path("c9")] = cluster_of("c9", false, false);
  CHECK(accept_clusters(f.console, {.names = {"c9"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("no certificate request"));
}

TEST_CASE("accept --wait follows a cluster from before its first request until it is available", "[ctl]") {
  test::ctl_fixture f;
  int sleeps = 0;
  f.on_sleep = [&] {
    ++sleeps;
    if (sleeps == 2) {
      f.server.objects[clusters_path("c1")] = cluster_of("c1", false, false);
      f.server.objects[csrs + "c1-x"] = csr_of("c1-x", "c1", "a1");
    }
    if (sleeps == 5) f.server.objects[clusters_path("c1")] = cluster_of("c1", true, true);
  };
  CHECK(accept_clusters(f.console, {.names = {"c1"}, .csrs = {}, .wait = 1min}) == exit_ok);
  CHECK(f.out.str() == "c1: approved c1-x, accepted; joined and available\n");
}

TEST_CASE("accept --wait gives up in time and says how far it came", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", false, false);
  f.server.objects[csrs + "c1-x"] = csr_of("c1-x", "c1", "a1");
  const auto start = f.clock;
  CHECK(accept_clusters(f.console, {.names = {"c1"}, .csrs = {}, .wait = 2s}) == exit_failure);
  CHECK(f.clock - start < 3s);
  CHECK_THAT(f.err.str(), Contains("approved c1-x, accepted, but it is not joined yet"));
}

TEST_CASE("what one cluster lacks does not keep the others out", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c2")] = cluster_of("c2", false, false);
  f.server.objects[csrs + "c2-x"] = csr_of("c2-x", "c2", "a1");
  f.console.format = output_format::json;
  CHECK(accept_clusters(f.console, {.names = {"c1", "c2"}}) == exit_failure);
  const auto printed = parse_json(f.out.str());
  REQUIRE(printed);
  CHECK(printed->at("items").at(0).contains("error"));
  CHECK(printed->at("items").at(1).at("accepted") == true);
}

TEST_CASE("what a request says of itself cannot draw on the terminal", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1", true, true);
  auto csr = csr_of("c1-x", "c1", "a1");
  csr["spec"]["signerName"] = "\x1b[2J\xc2\x9bm\nc1: approved";
  f.server.objects[csrs + "c1-x"] = csr;
  CHECK(accept_clusters(f.console, {.names = {"c1"}}) == exit_ok);
  CHECK_THAT(f.err.str(), Contains("is left alone") && Contains("?[2J?m?c1: approved"));
}
