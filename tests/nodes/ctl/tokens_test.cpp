#include "nodes/ctl/tokens.hpp"

#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "nodes/ctl/join_token.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"

using namespace wh;
using namespace wh::ctl;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const std::string secrets = "/api/v1/namespaces/kube-system/secrets/";

void put_token(test::ctl_fixture& f, const std::string& id, const token_options& options) {
  f.server.objects[secrets + "bootstrap-token-" + id] =
      token_secret({.id = id, .secret = "thesecretthesecretthesecre"}, options, f.clock);
}

bool there(test::ctl_fixture& f, const std::string& id) {
  return f.server.objects.contains(secrets + "bootstrap-token-" + id);
}

}  // namespace

TEST_CASE("tokens are listed with what is left of them, and without their secrets", "[ctl]") {
  test::ctl_fixture f;
  put_token(f, "aaaaaa", {.ttl = 1h});
  put_token(f, "bbbbbb", {.ttl = 1h, .uses = 3});
  put_token(f, "cccccc", {.ttl = -1h});
  f.server.objects[secrets + "other"] = {{"metadata", {{"name", "other"}}}, {"type", "Opaque"}};
  const auto kubeadm = secrets + "bootstrap-token-dddddd";
  f.server.objects[kubeadm] = {{"metadata", {{"name", "bootstrap-token-dddddd"}}},
                               {"type", "bootstrap.kubernetes.io/token"},
                               {"data", {{"token-secret", to_base64("plaintextplainte")}}}};
  const auto format = GENERATE(output_format::table, output_format::json, output_format::yaml);
  f.console.format = format;
  REQUIRE(get_tokens(f.console) == exit_ok);
  const auto text = f.out.str();
  for (const auto* id : {"aaaaaa", "bbbbbb", "cccccc", "dddddd"}) CHECK_THAT(text, Contains(id));
  CHECK_THAT(text, !Contains("other"));
  for (const auto& leak : {std::string("plaintext"), to_base64("plaintextplainte"), std::string("thesecret"),
                           sha256_hex("thesecretthesecretthesecre"), std::string("sha256")})
    CHECK_THAT(text, !Contains(leak));
  if (format != output_format::table) return;
  CHECK_THAT(text, Contains("VALID FOR") && Contains("expired") && Contains("never") && Contains("forever"));
}

TEST_CASE("without tokens the list says how to make one", "[ctl]") {
  test::ctl_fixture f;
  CHECK(get_tokens(f.console) == exit_ok);
  CHECK_THAT(f.err.str(), Contains("whctl get token makes one"));
}

TEST_CASE("a token is revoked by id, by itself or by its Secret's name; again, nothing changes", "[ctl]") {
  test::ctl_fixture f;
  const auto given =
      GENERATE(as<std::string>(), "aaaaaa", "aaaaaa.thesecretthesecretthesecre", "bootstrap-token-aaaaaa");
  put_token(f, "aaaaaa", {});
  put_token(f, "bbbbbb", {});
  CHECK(revoke_tokens(f.console, {.tokens = {given, "aaaaaa"}}) == exit_ok);
  CHECK_FALSE(there(f, "aaaaaa"));
  CHECK(there(f, "bbbbbb"));
  CHECK_THAT(f.out.str(), Contains("aaaaaa: revoked;") && !Contains("thesecret"));
  f.out.str("");
  CHECK(revoke_tokens(f.console, {.tokens = {given}}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("aaaaaa: no such token here"));
}

TEST_CASE("what is no token is refused before anything is deleted, and not repeated", "[ctl]") {
  test::ctl_fixture f;
  put_token(f, "aaaaaa", {});
  CHECK(revoke_tokens(f.console, {.tokens = {"aaaaaa", "AAAAAAsecretsecret"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("is no token") && !Contains("secretsecret"));
  CHECK(there(f, "aaaaaa"));
  f.server.objects[secrets + "bootstrap-token-eeeeee"] = {{"metadata", {{"name", "bootstrap-token-eeeeee"}}},
                                                          {"type", "Opaque"}};
  CHECK(revoke_tokens(f.console, {.tokens = {"eeeeee"}}) == exit_failure);
  CHECK(there(f, "eeeeee"));
}

TEST_CASE("--all-expired takes what nobody can join with, and nothing else", "[ctl]") {
  test::ctl_fixture f;
  put_token(f, "aaaaaa", {.ttl = 1h});
  put_token(f, "bbbbbb", {.ttl = -1h});
  put_token(f, "cccccc", {.ttl = 1h, .uses = 0});
  CHECK(revoke_tokens(f.console, {.all_expired = true}) == exit_ok);
  CHECK(there(f, "aaaaaa"));
  CHECK_FALSE(there(f, "bbbbbb"));
  CHECK_FALSE(there(f, "cccccc"));
  CHECK(revoke_tokens(f.console, {.all_expired = true}) == exit_ok);
  CHECK_THAT(f.err.str(), Contains("No token has expired"));
}
