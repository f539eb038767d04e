#include "nodes/spoke/hub_proxy.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "nodes/common/files.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Contains;

TEST_CASE("credentials come from a file that only its owner may read", "[hub_proxy]") {
  const temporary_folder folder;
  const auto file = folder.file("secret");
  REQUIRE(write_file_atomically(file, "user:pass:word\n", 0600).ok());
  CHECK((*open_proxy({"http://p:1", file, ""}))->credentials == "user:pass:word");
  const auto both = open_proxy({"http://u:hidden@p:1", file, ""});
  REQUIRE_FALSE(both.ok());
  CHECK_THAT(both.err().message, Contains("give one of both") && !Contains("hidden"));
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  CHECK_THAT(open_proxy({"http://p:1", file, ""}).err().message, Contains(file) && Contains("chmod 600"));
  CHECK_THAT(open_proxy({"http://p:1", folder.file("none"), ""}).err().message, Contains(folder.file("none")));
  for (const auto* wrong : {"hidden", ":hidden", "hidden:a\nb", ""}) {
    REQUIRE(write_file_atomically(file, wrong, 0600).ok());
    const auto refused = open_proxy({"http://p:1", file, ""});
    REQUIRE_FALSE(refused.ok());
    CHECK_THAT(refused.err().message, Contains(file) && !Contains("hidden"));
  }
}

TEST_CASE("flags that do not fit each other are refused", "[hub_proxy]") {
  const temporary_folder folder;
  CHECK(*open_proxy({}) == nullptr);
  CHECK_THAT(open_proxy({"http://p:1", "", "ca.pem"}).err().message, Contains("for an https proxy"));
  CHECK_THAT(open_proxy({"https://p:1", "", folder.file("none")}).err().message, Contains("--hub-proxy-ca"));
  REQUIRE(write_file_atomically(folder.file("ca"), "garbage", 0644).ok());
  CHECK_THAT(open_proxy({"https://p:1", "", folder.file("ca")}).err().message, Contains(folder.file("ca")));
  CHECK_THAT(open_proxy({"gopher://u:hidden@p", "", ""}).err().message, Contains("--hub-proxy") && !Contains("hidden"));
}
