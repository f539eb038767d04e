#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("a klusterlet looks at its works' status every five seconds to every hour", "[apiserver][admission]") {
  for (const auto set : {kind_set::hub, kind_set::cluster}) {
    api_fixture f(set);
    const auto post = [&](const char* name, const char* interval) {
      return f.post(
          "/apis/operator.open-cluster-management.io/v1/klusterlets",
          {{"metadata", {{"name", name}}}, {"spec", {{"workConfiguration", {{"statusSyncInterval", interval}}}}}});
    };
    for (const char* interval : {"4s", "61m", "1h1s", "99999999999999999999h"}) {
      const auto refused = post("x", interval);
      CHECK(refused.code == 422);
      CHECK(
          refused.message() ==
          "Klusterlet.operator.open-cluster-management.io \"x\" is invalid: spec.workConfiguration.statusSyncInterval: "
          "Invalid value: \"" +
              std::string(interval) + "\": must be between 5s and 1h");
    }
    CHECK(post("a", "5s").code == 201);
    CHECK(post("b", "59m60s").code == 201);
  }
}
