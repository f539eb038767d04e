#include "nodes/ctl/user.hpp"

#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"
#include "transport/pki.hpp"

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

namespace {

constexpr const char* csrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

/// A hub that signs what is approved.
void let_sign(test::fake_hub& hub) {
  hub.on_write = [](test::fake_hub&, const std::string&, document& doc) {
    if (doc.contains("status")) doc["status"]["certificate"] = to_base64("CERTIFICATE");
  };
}

}  // namespace

TEST_CASE("create user asks, approves and prints a kubeconfig", "[ctl]") {
  test::ctl_fixture f;
  let_sign(f.server);
  CHECK(create_user(f.console, {.name = "ann", .groups = {"dev", "ops"}, .life = std::chrono::hours(1)}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("current-context: ann") && Contains(to_base64("CERTIFICATE")));
  const auto& spec = f.server.calls.at(0).body.at("spec");
  CHECK(spec.at("signerName") == "kubernetes.io/kube-apiserver-client");
  CHECK(spec.at("expirationSeconds") == 3600);
  auto request = inspect_csr(*from_base64(spec.at("request").get<std::string>()));
  REQUIRE(request);
  CHECK(request->subj == subject{"ann", {"dev", "ops"}});
  CHECK(f.server.calls.at(1).path == std::string(csrs) + "/user-x/approval");
  CHECK(f.server.calls.at(1).body["status"]["conditions"][0]["type"] == "Approved");
  CHECK(f.server.count("DELETE") == 1);
}

TEST_CASE("create user says what is wrong", "[ctl]") {
  struct row {
    create_user_options options;
    const char* message;
  };
  const row rows[] = {
      {{.name = "", .groups = {}}, "name must not be empty"},
      {{.name = "system:admin", .groups = {}}, "names that start with \"system:\""},
      {{.name = "a", .groups = {"system:masters"}}, "system:masters cannot be signed for"},
      {{.name = "a", .groups = {}, .life = std::chrono::minutes(1)}, "--duration must be at least 10m"},
      {{.name = "a", .groups = {}, .file = "/dev/null"}, "/dev/null exists; --force replaces it"},
  };
  for (const auto& r : rows) {
    test::ctl_fixture f;
    CHECK(create_user(f.console, r.options) == exit_failure);
    CHECK_THAT(f.err.str(), Contains(r.message));
    CHECK(f.server.calls.empty());
  }
  test::ctl_fixture f;
  f.server.refusals["POST /apis/certificates"] = {403, "not for you"};
  CHECK(create_user(f.console, {.name = "a", .groups = {}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("not for you"));
}

TEST_CASE("create user tells of a refused certificate and of one that does not come", "[ctl]") {
  test::ctl_fixture f;
  f.server.on_write = [](test::fake_hub&, const std::string&, document& doc) {
    if (doc.contains("status"))
      doc["status"]["conditions"].push_back({{"type", "Failed"}, {"status", "True"}, {"message", "no"}});
  };
  CHECK(create_user(f.console, {.name = "a", .groups = {}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("the certificate was refused: no"));
  test::ctl_fixture slow;
  CHECK(create_user(slow.console, {.name = "a", .groups = {}}) == exit_failure);
  CHECK_THAT(slow.err.str(), Contains("has not signed request user-x in time"));
}
