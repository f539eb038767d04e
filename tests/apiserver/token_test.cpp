#include <catch2/catch.hpp>

#include "access_fixture.hpp"
#include "apiserver/tokens/jwt.hpp"
#include "apiserver/tokens/recent_cache.hpp"
#include "apiserver/tokens/token_gate.hpp"
#include "base/encoding.hpp"
#include "transport/pki.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* accounts = "/api/v1/namespaces/n/serviceaccounts";
constexpr const char* issuer = "https://kubernetes.default.svc";

/// A server with tokens, a namespace and a ServiceAccount.
struct token_fixture {
  token_fixture() {
    f.make_namespace("n");
    make_account();
  }
  ~token_fixture() {
    f.server.reset();
    gate.reset();
  }
  void make_account() { REQUIRE(f.post(accounts, {{"metadata", {{"name", "s"}}}}).code == 201); }
  reply_body request(const document& spec = document::object()) {
    return f.post(std::string(accounts) + "/s/token", {{"spec", spec}});
  }
  std::string token(const document& spec = document::object()) {
    auto made = request(spec);
    INFO(made.text);
    REQUIRE(made.code == 201);
    return std::string(string_at(made.json, {"status", "token"}));
  }
  reply_body show(const std::string& bearer, const char* target = "/api/v1/namespaces/n/configmaps") {
    auto reply = std::make_shared<recorded_reply>();
    api_request r;
    r.method = "GET";
    r.target = target;
    r.accept = "application/json";
    r.bearer_token = bearer;
    r.demands_identity = true;
    f.server->handle(std::move(r), reply);
    REQUIRE(reply->responses == 1);
    return {reply->response.status, {}, *reply->response.body, *parse_json(*reply->response.body)};
  }
  document review(const std::string& bearer, const document& audiences = document::array()) {
    return f
        .post("/apis/authentication.k8s.io/v1/tokenreviews", {{"spec", {{"token", bearer}, {"audiences", audiences}}}})
        .json["status"];
  }

  std::unique_ptr<token_gate> gate;
  access_fixture f{[this](api_options& o) {
    service_account_options accounts_of;
    accounts_of.data = o.data;
    accounts_of.now = o.now;
    gate = std::make_unique<token_gate>(std::move(accounts_of));
    o.tokens = gate.get();
    o.issuer = &gate->issuer();
  }};
};

document claims_of(const std::string& token) { return parse_jwt(token)->claims; }

}  // namespace

TEST_CASE("a ServiceAccount's token speaks for it", "[apiserver][tokens]") {
  token_fixture t;
  auto token = t.token();
  auto claims = claims_of(token);
  CHECK(claims["iss"] == issuer);
  CHECK(claims["sub"] == "system:serviceaccount:n:s");
  CHECK(claims["aud"] == document({issuer}));
  CHECK(claims["exp"].get<int>() - claims["iat"].get<int>() == 3600);
  CHECK(claims["kubernetes.io"]["namespace"] == "n");
  auto refused = t.show(token);
  CHECK(refused.code == 403);
  CHECK(
      refused.message() ==
      "configmaps is forbidden: User \"system:serviceaccount:n:s\" cannot list resource \"configmaps\" in API group \"\" in the "
      "namespace \"n\"");
  REQUIRE(t.f.post("/apis/rbac.authorization.k8s.io/v1/namespaces/n/rolebindings",
                   {{"metadata", {{"name", "b"}}},
                    {"roleRef", {{"kind", "ClusterRole"}, {"name", "view"}}},
                    {"subjects", document::array({{{"kind", "ServiceAccount"}, {"name", "s"}, {"namespace", "n"}}})}})
              .code == 201);
  CHECK(t.show(token).code == 200);
  auto seen = t.review(token);
  CHECK(seen["authenticated"] == true);
  CHECK(seen["user"]["username"] == "system:serviceaccount:n:s");
  CHECK(seen["user"]["groups"] ==
        document({"system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"}));
  CHECK_FALSE(seen["user"]["uid"].get<std::string>().empty());
  CHECK(seen["audiences"] == document({issuer}));
}

TEST_CASE("a token ends with its time, its ServiceAccount and what it is bound to", "[apiserver][tokens]") {
  token_fixture t;
  auto token = t.token({{"expirationSeconds", 600}});
  CHECK(t.review(token)["authenticated"] == true);
  SECTION("its time") {
    t.f.timer.advance(std::chrono::seconds(700));
    CHECK(t.review(token)["error"] == "the token has expired");
    CHECK(t.show(token).code == 401);
  }
  SECTION("its ServiceAccount") {
    t.f.del(std::string(accounts) + "/s");
    CHECK(t.review(token)["authenticated"] == false);
    t.make_account();
    CHECK(t.review(token)["error"] == "the token's ServiceAccount is gone");
    CHECK(t.review(t.token())["authenticated"] == true);
  }
  SECTION("a Secret") {
    REQUIRE(t.f.post("/api/v1/namespaces/n/secrets", {{"metadata", {{"name", "x"}}}}).code == 201);
    auto bound = t.token({{"boundObjectRef", {{"kind", "Secret"}, {"apiVersion", "v1"}, {"name", "x"}}}});
    CHECK(t.review(bound)["authenticated"] == true);
    t.f.del("/api/v1/namespaces/n/secrets/x");
    CHECK(t.review(bound)["error"] == "what the token is bound to is gone");
  }
}

TEST_CASE("tokens are for those audiences that they name", "[apiserver][tokens]") {
  token_fixture t;
  auto token = t.token({{"audiences", {"vault", "other"}}});
  CHECK(t.show(token).code == 401);
  CHECK(t.review(token)["error"] == "the token is for another audience");
  auto seen = t.review(token, {"vault", "nobody"});
  CHECK(seen["authenticated"] == true);
  CHECK(seen["audiences"] == document({"vault"}));
}

TEST_CASE("a TokenRequest is checked", "[apiserver][tokens]") {
  token_fixture t;
  auto brief = t.request({{"expirationSeconds", 10}});
  CHECK(brief.code == 422);
  CHECK(
      brief.message() ==
      "TokenRequest.authentication.k8s.io \"s\" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration "
      "less than 10 minutes");
  CHECK(t.request({{"boundObjectRef", {{"kind", "Secret"}, {"apiVersion", "v1"}, {"name", "none"}}}}).code == 404);
  CHECK(t.request({{"boundObjectRef", {{"kind", "Thing"}, {"apiVersion", "v1"}, {"name", "x"}}}}).code == 400);
  CHECK(t.f.post(std::string(accounts) + "/none/token", {{"spec", document::object()}}).code == 404);
  CHECK(t.f.get(std::string(accounts) + "/s/token").code == 405);
  CHECK(
      t.f.as("ann", "POST", std::string(accounts) + "/s/token", {{"spec", document::object()}}).message() ==
      "serviceaccounts \"s\" is forbidden: User \"ann\" cannot create resource \"serviceaccounts/token\" in API group \"\" in the "
      "namespace \"n\"");
}

TEST_CASE("a token that anybody has touched is nobody's", "[apiserver][tokens]") {
  token_fixture t;
  auto token = t.token();
  auto dot = token.rfind('.');
  auto first = token.find('.');
  auto claims = claims_of(token);
  claims["kubernetes.io"]["serviceaccount"]["name"] = "admin";
  auto other_key = *open_token_signer(*generate_key());
  const std::string none = to_base64url(R"({"alg":"none"})");
  const std::string bad[] = {
      "x",
      token.substr(0, dot),
      token.substr(0, dot + 1),
      token + "A",
      token.substr(0, dot + 1) + std::string(86, 'A'),
      token.substr(0, first + 1) + to_base64url(claims.dump()) + token.substr(dot),
      none + token.substr(first, dot - first) + ".",
      none + token.substr(first),
      *make_jwt(*other_key, claims_of(token)),
      std::string(100000, 'a'),
  };
  for (const auto& b : bad) {
    INFO(b.substr(0, 100));
    auto got = t.show(b);
    CHECK(got.code == 401);
    CHECK(got.json == document({{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", document::object()},
                                {"status", "Failure"},
                                {"message", "Unauthorized"},
                                {"reason", "Unauthorized"},
                                {"code", 401}}));
    CHECK(t.review(b)["authenticated"] == false);
  }
  CHECK(t.show("", "/version").code == 200);
  CHECK(t.show("", "/apis").code == 401);
  // A wrong token is not taken for none.
  CHECK(t.show("x", "/version").code == 401);
}

TEST_CASE("others can check tokens by the published keys", "[apiserver][tokens]") {
  token_fixture t;
  auto token = parse_jwt(t.token());
  REQUIRE(token);
  auto discovery = t.f.get("/.well-known/openid-configuration");
  CHECK(discovery.json["issuer"] == issuer);
  CHECK(discovery.json["jwks_uri"] == std::string(issuer) + "/openid/v1/jwks");
  auto keys = t.f.get("/openid/v1/jwks").json["keys"];
  REQUIRE(keys.size() == 1);
  CHECK(keys[0]["kid"] == token->key_id);
  CHECK_FALSE(keys[0].contains("d"));
  auto key = read_jwk(keys[0]);
  REQUIRE(key);
  CHECK(is_signed_by(*token, **key));
  CHECK(t.show(t.token(), "/openid/v1/jwks").code == 200);
  CHECK(t.f.as("ann", "GET", "/openid/v1/jwks").code == 403);
}

TEST_CASE("signing keys outlive the server and can be rotated", "[apiserver][tokens]") {
  token_fixture t;
  auto old_token = t.token();
  const object_key key{signing_keys_resource, "", "service-accounts"};
  auto stored = *decode_record(**t.f.data->get(key));
  auto& keys = stored["keys"];
  keys.insert(keys.begin(), document{{"key", *generate_key()}});
  auto put = [&] {
    batch b;
    stored["metadata"].erase("resourceVersion");
    b.puts.push_back({key, encode_body(stored), {}});
    t.f.data->submit(std::move(b), [](const result<commit>& c) { REQUIRE(c); });
  };
  put();
  auto new_token = t.token();
  CHECK(parse_jwt(new_token)->key_id != parse_jwt(old_token)->key_id);
  CHECK(t.review(old_token)["authenticated"] == true);
  CHECK(t.review(new_token)["authenticated"] == true);
  CHECK(t.f.get("/openid/v1/jwks").json["keys"].size() == 2);
  keys.erase(keys.begin() + 1);
  put();
  CHECK(t.review(old_token)["authenticated"] == false);
  CHECK(t.review(new_token)["authenticated"] == true);
  service_account_options again;
  again.data = t.f.data.get();
  again.now = [&] { return t.f.timer.now(); };
  CHECK(service_accounts(again).check(new_token, {}));
}

TEST_CASE("a token Secret is filled, and its token lives as long as it does", "[apiserver][tokens]") {
  token_fixture t;
  auto secret = [&](const char* account) {
    document doc = {{"metadata", {{"name", "tok"}}}, {"type", "kubernetes.io/service-account-token"}};
    if (*account) doc["metadata"]["annotations"]["kubernetes.io/service-account.name"] = account;
    return t.f.post("/api/v1/namespaces/n/secrets", doc);
  };
  CHECK(secret("").code == 422);
  CHECK(secret("none").code == 422);
  auto made = secret("s");
  REQUIRE(made.code == 201);
  CHECK(made.json["data"]["namespace"] == to_base64("n"));
  auto token = *from_base64(string_at(made.json, {"data", "token"}));
  t.f.timer.advance(std::chrono::hours(24 * 3650));
  CHECK(t.review(token)["authenticated"] == true);
  t.f.del("/api/v1/namespaces/n/secrets/tok");
  CHECK(t.review(token)["authenticated"] == false);
}

TEST_CASE("bootstrap tokens speak for new clusters", "[apiserver][tokens]") {
  token_fixture t;
  const document sound = {{"token-id", "abcdef"},
                          {"token-secret", "0123456789abcdef"},
                          {"usage-bootstrap-authentication", "true"},
                          {"auth-extra-groups", "system:bootstrappers:managedcluster"},
                          {"expiration", "2026-01-02T04:00:00Z"}};
  struct row {
    const char* why;
    document change;
    const char* token;
    bool good;
  };
  const row rows[] = {
      {"sound", document::object(), "abcdef.0123456789abcdef", true},
      {"another secret", document::object(), "abcdef.0123456789abcdeg", false},
      {"an unknown id", document::object(), "abcdeg.0123456789abcdef", false},
      {"not for the API", {{"usage-bootstrap-authentication", "false"}}, "abcdef.0123456789abcdef", false},
      {"expired", {{"expiration", "2026-01-02T01:00:00Z"}}, "abcdef.0123456789abcdef", false},
      {"an expiration that is no date", {{"expiration", "soon"}}, "abcdef.0123456789abcdef", false},
      {"the id of another", {{"token-id", "zzzzzz"}}, "abcdef.0123456789abcdef", false},
      {"a group that is no bootstrapper's",
       {{"auth-extra-groups", "system:masters"}},
       "abcdef.0123456789abcdef",
       false},
      {"kept as a hash",
       {{"token-secret", nullptr}, {"token-secret-sha256", sha256_hex("0123456789abcdef0123456789")}},
       "abcdef.0123456789abcdef0123456789",
       true},
  };
  for (const auto& r : rows) {
    INFO(r.why);
    auto data = sound;
    data.merge_patch(r.change);
    auto made = t.f.post("/api/v1/namespaces/kube-system/secrets", {{"metadata", {{"name", "bootstrap-token-abcdef"}}},
                                                                    {"type", "bootstrap.kubernetes.io/token"},
                                                                    {"stringData", data}});
    REQUIRE(made.code == 201);
    auto seen = t.review(r.token);
    CHECK(seen["authenticated"] == r.good);
    if (r.good) {
      CHECK(seen["user"]["username"] == "system:bootstrap:abcdef");
      CHECK(seen["user"]["groups"] ==
            document({"system:bootstrappers", "system:bootstrappers:managedcluster", "system:authenticated"}));
    }
    t.f.del("/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef");
  }
}

TEST_CASE("the cache of tokens is bounded and keeps what is used", "[apiserver][tokens]") {
  recent_cache<int> cache(10);
  for (int i = 0; i < 100; ++i) {
    cache.put(std::to_string(i), std::make_shared<int>(i));
    cache.put("kept", std::make_shared<int>(-1));
  }
  CHECK(cache.size() <= 20);
  CHECK(cache.find("kept"));
  CHECK(cache.find("99"));
  CHECK_FALSE(cache.find("1"));
}
