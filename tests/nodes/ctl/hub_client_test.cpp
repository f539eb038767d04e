#include "nodes/ctl/hub_client.hpp"

#include <catch2/catch.hpp>

#include "tests/nodes/ctl/fake_hub.hpp"

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

TEST_CASE("names are escaped in paths", "[ctl]") {
  CHECK(percent_encode("a b/c=d") == "a%20b%2Fc%3Dd");
  CHECK(clusters_path("c1") == "/apis/cluster.open-cluster-management.io/v1/managedclusters/c1");
  CHECK(works_path("c/1", "w") == "/apis/work.open-cluster-management.io/v1/namespaces/c%2F1/manifestworks/w");
  CHECK(works_path({}) == "/apis/work.open-cluster-management.io/v1/manifestworks");
}

TEST_CASE("a Status answer becomes its message and code", "[ctl]") {
  const auto e = error_of_answer(409, R"({"kind":"Status","message":"it is there","reason":"AlreadyExists"})");
  CHECK(e.code == errc::already_exists);
  CHECK(e.message == "it is there");
  CHECK(error_of_answer(409, "{}").code == errc::conflict);
  CHECK_THAT(error_of_answer(502, "<html>").message, Contains("HTTP 502: <html>"));
  CHECK(error_of_answer(403, "").code == errc::forbidden);
}

TEST_CASE("a connection failure names the address, where it came from and what to check", "[ctl]") {
  test::ctl_fixture f;
  f.server.unreachable = "connection refused";
  const auto answer = f.hub.get("/version");
  REQUIRE_FALSE(answer);
  CHECK(
      answer.err().message ==
      "cannot reach the server 127.0.0.1:6443 (from k.yaml): connection refused; is the hub running, and is this its address?");
}

TEST_CASE("an absent object is a value for find and an error for get", "[ctl]") {
  test::ctl_fixture f;
  const auto found = f.hub.find(clusters_path("c1"));
  REQUIRE(found);
  CHECK_FALSE(found->has_value());
  CHECK(f.hub.get(clusters_path("c1")).err().code == errc::not_found);
}

TEST_CASE("a list is read page by page", "[ctl]") {
  class paged : public test::fake_hub {
   public:
    result<http_response> request(const std::string&, const std::string& target,
                                  const std::map<std::string, std::string>&, const std::string&, duration) override {
      targets.push_back(target);
      const bool last = target.find("continue=next%2Fone") != std::string::npos;
      const document body = {{"items", {{{"n", targets.size()}}}},
                             {"metadata", {{"continue", last ? "" : "next/one"}}}};
      return http_response{.status = 200, .headers = {}, .body = share(body.dump())};
    }
    std::vector<std::string> targets;
  };
  paged server;
  hub_client hub(server, {}, std::chrono::seconds(1));
  const auto items = hub.list("/things", "labelSelector=x");
  REQUIRE(items);
  CHECK(items->size() == 2);
  CHECK(server.targets[0] == "/things?limit=500&labelSelector=x");
  CHECK(server.targets[1] == "/things?limit=500&labelSelector=x&continue=next%2Fone");
}
