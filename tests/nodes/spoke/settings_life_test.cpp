#include "nodes/spoke/spoke_settings.hpp"

#include <catch2/catch.hpp>

#include "../common/temporary_folder.hpp"

using namespace wh;
using Catch::Matchers::Contains;

namespace {

spoke_settings first_start() {
  return {.cluster_name = "c1",
          .hub = "hub.example:6444",
          .ca_pin = "sha256:" + std::string(64, '0'),
          .token = "id.secret",
          .hub_name = "hub.example",
          .annotations = {{"agent.open-cluster-management.io/k", "v"}},
          .client_configs = {{"https://c1:6443", "pem"}}};
}

}  // namespace

TEST_CASE("later starts need the folder alone, and keep what the hub is told when joining", "[settings]") {
  const test::temporary_folder folder;
  CHECK_FALSE(settle_settings(folder.path(), {}));
  REQUIRE(settle_settings(folder.path(), first_start()));
  CHECK(settle_settings(folder.path(), {}).value() == first_start());
  auto renewed = spoke_settings{};
  renewed.token = "new.secret";
  CHECK(settle_settings(folder.path(), renewed).value().token == "new.secret");
  CHECK(settle_settings(folder.path(), {}).value().annotations == first_start().annotations);
}

TEST_CASE("after leaving a start needs a new token, and says so", "[settings]") {
  const test::temporary_folder folder;
  CHECK(kept_settings(folder.path()).err().code == errc::not_found);
  REQUIRE(settle_settings(folder.path(), first_start()));
  REQUIRE(erase_token(folder.path()));
  CHECK(kept_settings(folder.path()).value().token.empty());
  CHECK_THAT(settle_settings(folder.path(), {}).err().message,
             Contains("has left its hub") && Contains("--token") && Contains("whctl get token --cluster-name c1"));
  auto again = spoke_settings{};
  again.token = "new.secret";
  CHECK(settle_settings(folder.path(), again));
}
