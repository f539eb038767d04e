#include "nodes/ctl/join_token.hpp"

#include <catch2/catch.hpp>
#include <regex>

#include "base/encoding.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"
#include "transport/pki.hpp"

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

namespace {

const std::string info_path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
const document info = {{"data", {{"hub-link", "127.0.0.1:6444"}, {"ca-pin", "sha256:ab"}}}};

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n') + 1;
  const auto start = text.rfind('\n', end - 1);
  return text.substr(start + 1, end - start - 1);
}

std::string stored(const document& secret, const char* key) {
  return *from_base64(secret.at("data").at(key).get<std::string>());
}

}  // namespace

TEST_CASE("tokens have the bootstrap form and differ", "[ctl]") {
  const std::regex form("[a-z0-9]{6}\\.[a-z0-9]{26}");
  CHECK(std::regex_match(make_join_token().text(), form));
  CHECK(make_join_token().text() != make_join_token().text());
}

TEST_CASE("the stored Secret lets the token be checked but not recovered", "[ctl]") {
  const join_token token{.id = "abcdef", .secret = "0123456789abcdefghijklmnop"};
  const auto secret = token_secret(token, {.ttl = std::chrono::hours(2), .uses = 3, .cluster_name = {}}, instant{});
  CHECK(name_of(secret) == "bootstrap-token-abcdef");
  CHECK(secret.at("type") == "bootstrap.kubernetes.io/token");
  CHECK(stored(secret, "token-secret-sha256") == sha256_hex(token.secret));
  CHECK(stored(secret, "expiration") == "1970-01-01T02:00:00Z");
  CHECK(stored(secret, "uses-remaining") == "3");
  CHECK(stored(secret, "usage-bootstrap-join") == "true");
  CHECK_THAT(secret.dump(), !Contains(token.secret) && !Contains(to_base64(token.secret)));
}

TEST_CASE("get token ends with the complete join command", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[info_path] = info;
  CHECK(get_token(f.console, {}) == exit_ok);
  const std::regex command(
      "wheelhouse-spoke --data-dir ./<cluster-name> --cluster-name <cluster-name> --hub 127\\.0\\.0\\.1:6444 "
      "--token [a-z0-9]{6}\\.[a-z0-9]{26} --ca-pin sha256:ab");
  CHECK(std::regex_match(last_line(f.out.str()), command));
  CHECK(f.server.count("POST") == 1);
}

TEST_CASE("get token fills in the cluster's name and speaks JSON", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[info_path] = info;
  f.console.format = output_format::json;
  CHECK(get_token(f.console, {.cluster_name = "c1"}) == exit_ok);
  const auto printed = parse_json(f.out.str());
  REQUIRE(printed);
  CHECK_THAT(printed->at("command").get<std::string>(), Contains("--data-dir ./c1 --cluster-name c1 "));
  CHECK(printed->at("expires") == "2023-11-14T23:13:20Z");
  CHECK(printed->at("hub") == "127.0.0.1:6444");
  CHECK(printed->at("caPin") == "sha256:ab");
}

TEST_CASE("a server that is no hub is told from one that refuses", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[info_path] = {{"data", document::object()}};
  CHECK(get_token(f.console, {}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("is this server a Wheelhouse hub?"));
  f.server.objects[info_path] = info;
  f.server.refusals["POST /api/v1/namespaces/kube-system/secrets"] = {403, "secrets is forbidden"};
  CHECK(get_token(f.console, {}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("whctl: secrets is forbidden"));
  CHECK(f.out.str().empty());
}
