#include "nodes/spoke/spoke_settings.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "nodes/common/files.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Contains;

namespace {

std::string pin(char digit) { return "sha256:" + std::string(64, digit); }

spoke_settings first(const std::string& hub) { return {"c1", hub, pin('a'), "id.secret"}; }

}  // namespace

TEST_CASE("several hub addresses are kept, and flags of a later start replace them", "[spoke_settings]") {
  const temporary_folder folder;
  const auto settled = settle_settings(folder.path(), first("a.example:1,[::1]:2"));
  REQUIRE(settled.ok());
  CHECK(settled->hub_name == "a.example");
  CHECK(settle_settings(folder.path(), {}).value() == *settled);
  // What is named after the hub keeps its name when its addresses change.
  const auto moved = settle_settings(folder.path(), {"", "b.example:1", "", ""});
  REQUIRE(moved.ok());
  CHECK(moved->hub == "b.example:1");
  CHECK(moved->hub_name == "a.example");
  // Another CA is another hub.
  CHECK(settle_settings(folder.path(), {"", "c.example:1", pin('b'), ""})->hub_name == "c.example");
}

TEST_CASE("a file of an earlier release is read, and its hub keeps its name", "[spoke_settings]") {
  const temporary_folder folder;
  const auto text =
      R"({"clusterName":"c1","hub":"old.example:6444","caPin":")" + pin('a') + R"(","token":"id.secret"})";
  REQUIRE(write_file_atomically(folder.file("spoke.json"), text, 0600).ok());
  const auto settled = settle_settings(folder.path(), {"", "new.example:6444,other.example:6444", "", ""});
  REQUIRE(settled.ok());
  CHECK(settled->hub_name == "old.example");
  CHECK(settled->hub == "new.example:6444,other.example:6444");
}

TEST_CASE("bad addresses are named", "[spoke_settings]") {
  const temporary_folder folder;
  const auto refusal = [&](const std::string& hub) { return settle_settings(folder.path(), first(hub)).err().message; };
  CHECK_THAT(refusal("hub"), Contains("--hub: 'hub' is not host:port: no port"));
  CHECK_THAT(refusal("a:1,::1:2"), Contains("needs brackets"));
  CHECK_THAT(refusal("a:1,"), Contains("--hub"));
  CHECK_THAT(refusal("a:0"), Contains("no port that can be dialled"));
}

TEST_CASE("a proxy is kept for its owner only, and given up with none", "[spoke_settings]") {
  const temporary_folder folder;
  auto flags = first("a:1");
  flags.proxy = {"http://u:p@proxy:1", "", ""};
  REQUIRE(settle_settings(folder.path(), flags).ok());
  CHECK(settle_settings(folder.path(), {})->proxy.url == "http://u:p@proxy:1");
  struct stat status {};
  REQUIRE(::stat(folder.file("spoke.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  flags.proxy.url = "none";
  CHECK(settle_settings(folder.path(), flags)->proxy == proxy_settings{});
  CHECK(settle_settings(folder.path(), {})->proxy == proxy_settings{});
}
