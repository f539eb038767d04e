#include <catch2/catch.hpp>
#include <future>

#include "apiserver/tokens/oidc.hpp"
#include "base/encoding.hpp"
#include "transport/pki.hpp"

using namespace wh;

namespace {

constexpr const char* issuer = "https://issuer.example";
const instant now{std::chrono::seconds(1767323045)};

/// An issuer in memory: its documents, and how often it was asked.
struct fake_issuer {
  std::shared_ptr<const token_signer> key = *open_token_signer(*generate_key());
  std::mutex mutex;
  std::vector<std::shared_ptr<const token_signer>> published = {key};
  bool reachable = true;
  int fetches = 0;

  result<std::string> fetch(const std::string& url) {
    std::lock_guard lock(mutex);
    ++fetches;
    if (!reachable) return fail(errc::unavailable, "no route");
    if (url == std::string(issuer) + "/.well-known/openid-configuration")
      return document{{"issuer", issuer}, {"jwks_uri", std::string(issuer) + "/keys"}}.dump();
    document keys = document::array({{{"kty", "OKP"}, {"kid", "other"}}});
    for (const auto& k : published) keys.push_back(public_jwk(*k));
    return document{{"keys", keys}}.dump();
  }
  int asked() {
    std::lock_guard lock(mutex);
    return fetches;
  }
};

oidc_options options_for(fake_issuer& from) {
  oidc_options o;
  o.keys.issuer = issuer;
  o.keys.fetch = [&from](const std::string& url, duration) { return from.fetch(url); };
  o.keys.retry_min = std::chrono::milliseconds(1);
  o.client_id = "hub";
  o.groups_claim = "groups";
  o.groups_prefix = "oidc:";
  o.now = [] { return now; };
  return o;
}

document claims(const document& changes = document::object()) {
  document out = {
      {"iss", issuer}, {"aud", "hub"}, {"sub", "jane"}, {"exp", 1767323045 + 600}, {"groups", {"dev", "ops"}}};
  out.merge_patch(changes);
  return out;
}

result<token_identity> ask(token_authenticator& tokens, const std::string& token) {
  auto done = std::make_shared<std::promise<result<token_identity>>>();
  tokens.authenticate(token, {}, [done](result<token_identity> r) { done->set_value(std::move(r)); });
  auto answer = done->get_future();
  REQUIRE(answer.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  return answer.get();
}

}  // namespace

TEST_CASE("an ID token becomes a user as the flags say", "[apiserver][oidc]") {
  fake_issuer from;
  auto o = options_for(from);
  SECTION("the subject, prefixed with its issuer") {
    oidc_tokens tokens(o);
    auto who = ask(tokens, *make_jwt(*from.key, claims()));
    REQUIRE(who);
    CHECK(who->user == user_info{"https://issuer.example#jane", {"oidc:dev", "oidc:ops", "system:authenticated"}});
  }
  SECTION("an email") {
    o.username_claim = "email";
    oidc_tokens tokens(o);
    auto token = [&](const document& c) { return ask(tokens, *make_jwt(*from.key, claims(c))); };
    CHECK(token({{"email", "jane@x"}, {"email_verified", true}})->user.name == "jane@x");
    CHECK_FALSE(token({{"email", "jane@x"}, {"email_verified", false}}));
    CHECK_FALSE(token(document::object()));
  }
  SECTION("without prefixes the server's own names stay its own") {
    o.username_prefix = "-";
    o.groups_prefix = "";
    oidc_tokens tokens(o);
    auto token = [&](const document& c) { return ask(tokens, *make_jwt(*from.key, claims(c))); };
    CHECK(token({{"groups", {"system:masters", "dev"}}})->user.groups ==
          std::vector<std::string>{"dev", "system:authenticated"});
    CHECK_FALSE(token({{"sub", "system:admin"}}));
    CHECK(token({{"groups", "one"}})->user.groups[0] == "one");
  }
}

TEST_CASE("ID tokens that are not for us are refused", "[apiserver][oidc]") {
  fake_issuer from;
  auto o = options_for(from);
  o.required_claims = {{"hd", "example.org"}};
  oidc_tokens tokens(o);
  struct row {
    const char* why;
    document change;
    bool good;
  };
  const row rows[] = {
      {"sound", {{"hd", "example.org"}}, true},
      {"several audiences", {{"hd", "example.org"}, {"aud", {"x", "hub"}}}, true},
      {"without the required claim", document::object(), false},
      {"with another value", {{"hd", "evil.org"}}, false},
      {"another client", {{"hd", "example.org"}, {"aud", "other"}}, false},
      {"expired", {{"hd", "example.org"}, {"exp", 1767323045 - 100}}, false},
      {"without end", {{"hd", "example.org"}, {"exp", nullptr}}, false},
      {"too early", {{"hd", "example.org"}, {"nbf", 1767323045 + 100}}, false},
      {"another issuer", {{"hd", "example.org"}, {"iss", "https://evil.example"}}, false},
      {"nobody", {{"hd", "example.org"}, {"sub", nullptr}}, false},
  };
  for (const auto& r : rows) {
    INFO(r.why);
    auto token = *make_jwt(*from.key, claims(r.change));
    CHECK(ask(tokens, token).ok() == r.good);
    CHECK(ask(tokens, token).ok() == r.good);
  }
  auto stranger = *open_token_signer(*generate_key());
  CHECK_FALSE(ask(tokens, *make_jwt(*stranger, claims({{"hd", "example.org"}}))));
}

TEST_CASE("keys are fetched anew when a token names an unknown one, but not for every such token",
          "[apiserver][oidc]") {
  fake_issuer from;
  auto o = options_for(from);
  SECTION("rotation") {
    oidc_tokens tokens(o);
    REQUIRE(ask(tokens, *make_jwt(*from.key, claims())));
    auto next = *open_token_signer(*generate_key());
    {
      std::lock_guard lock(from.mutex);
      from.published = {next};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(ask(tokens, *make_jwt(*next, claims())));
  }
  SECTION("a flood") {
    o.keys.retry_min = std::chrono::hours(1);
    oidc_tokens tokens(o);
    REQUIRE(ask(tokens, *make_jwt(*from.key, claims())));
    auto stranger = *open_token_signer(*generate_key());
    for (int i = 0; i < 50; ++i) CHECK_FALSE(ask(tokens, *make_jwt(*stranger, claims({{"jti", i}}))));
    CHECK(from.asked() == 2);
  }
  SECTION("an issuer that is away") {
    from.reachable = false;
    oidc_tokens tokens(o);
    CHECK(ask(tokens, *make_jwt(*from.key, claims())).err().code == errc::unavailable);
    {
      std::lock_guard lock(from.mutex);
      from.reachable = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(ask(tokens, *make_jwt(*from.key, claims())));
  }
}

TEST_CASE("RS256 keys are read from their JWK", "[apiserver][oidc]") {
  // The key and the token of RFC 7515, appendix A.2.
  const document jwk = {
      {"kty", "RSA"},
      {"n",
       "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs"
       "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV"
       "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
      {"e", "AQAB"}};
  auto key = read_jwk(jwk);
  REQUIRE(key);
  CHECK((*key)->algorithm() == "RS256");
  const std::string text =
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const std::string signature =
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ"
      "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-e"
      "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
  auto token = parse_jwt(text + "." + signature);
  REQUIRE(token);
  CHECK(is_signed_by(*token, **key));
  token->signed_text += "x";
  CHECK_FALSE(is_signed_by(*token, **key));
  // A public key must not serve another algorithm than its own.
  token = parse_jwt(text + "." + signature);
  token->algorithm = "ES256";
  CHECK_FALSE(is_signed_by(*token, **key));
}
