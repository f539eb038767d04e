#include <catch2/catch.hpp>

#include "access_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

reply_body acting(api_fixture& f, const user_info& who, user_info as, const std::string& target,
                  const std::string& body = {}) {
  auto reply = std::make_shared<recorded_reply>();
  api_request r;
  r.method = body.empty() ? "GET" : "POST";
  r.target = target;
  r.accept = r.content_type = "application/json";
  r.body = body;
  r.user = who;
  r.as = std::move(as);
  f.server->handle(std::move(r), reply);
  REQUIRE(reply->responses == 1);
  return {reply->response.status, reply->response.headers, *reply->response.body, *parse_json(*reply->response.body)};
}

const user_info ann{"ann", {"system:authenticated"}};

document who_am_i(api_fixture& f, const user_info& who, user_info as) {
  auto r = acting(f, who, std::move(as), "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                  R"({"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"})");
  CHECK(r.code == 201);
  return r.json["status"]["userInfo"];
}

}  // namespace

TEST_CASE("who may impersonate becomes the other, and only that", "[apiserver][access]") {
  access_fixture f;
  f.grant("ann", document::array({policy({""}, {"users", "groups", "serviceaccounts"}, {"impersonate"}),
                                  policy({"authentication.k8s.io"}, {"userextras/reason", "uids"}, {"impersonate"}),
                                  policy({""}, {"configmaps"}, {"list"})}));
  CHECK(who_am_i(f, ann, {"bob"}) == document({{"username", "bob"}, {"groups", {"system:authenticated"}}}));
  CHECK(who_am_i(f, ann, {"bob", {"a", "b, c"}, "u1", {{"reason", {"x"}}}}) ==
        document({{"username", "bob"},
                  {"groups", {"a", "b, c", "system:authenticated"}},
                  {"uid", "u1"},
                  {"extra", {{"reason", {"x"}}}}}));
  CHECK(who_am_i(f, ann, {"system:serviceaccount:n:s"})["groups"] ==
        document({"system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"}));
  // The rights put aside are gone.
  CHECK(
      acting(f, ann, {"bob"}, "/api/v1/configmaps").message() ==
      "configmaps is forbidden: User \"bob\" cannot list resource \"configmaps\" in API group \"\" at the cluster scope");
}

TEST_CASE("impersonation is refused piece by piece", "[apiserver][access]") {
  access_fixture f;
  auto users = policy({""}, {"users"}, {"impersonate"});
  users["resourceNames"] = {"bob"};
  f.grant("ann", document::array({users}));
  struct row {
    user_info as;
    int code;
    const char* message;
  };
  const row rows[] = {
      {{"eve"},
       403,
       "users \"eve\" is forbidden: User \"ann\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"},
      {{"bob", {"system:masters"}},
       403,
       "groups \"system:masters\" is forbidden: User \"ann\" cannot impersonate resource \"groups\" in API group \"\" at the cluster scope"},
      {{"system:serviceaccount:n:s"},
       403,
       "serviceaccounts \"s\" is forbidden: User \"ann\" cannot impersonate resource \"serviceaccounts\" in API group \"\" in the namespace \"n\""},
      {{"bob", {}, "", {{"scopes", {"v"}}}},
       403,
       "userextras.authentication.k8s.io \"v\" is forbidden: User \"ann\" cannot impersonate resource \"userextras/scopes\" in API group "
       "\"authentication.k8s.io\" at the cluster scope"},
      {{"bob", {}, "u"},
       403,
       "uids.authentication.k8s.io \"u\" is forbidden: User \"ann\" cannot impersonate resource \"uids\" in API group \"authentication.k8s.io\" at the "
       "cluster scope"},
      {{"", {"g"}},
       500,
       "Internal Server Error: \"/apis\": requested groups, uid or extra without impersonating a user"},
  };
  for (const auto& r : rows) {
    auto got = acting(f, ann, r.as, "/apis");
    CHECK(got.code == r.code);
    CHECK(got.message() == r.message);
  }
  CHECK(acting(f, ann, {"bob"}, "/apis").code == 200);
}
