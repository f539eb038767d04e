#include "nodes/parts/local_ca.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "nodes/common/files.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

const instant now = std::chrono::time_point_cast<instant::duration>(std::chrono::system_clock::now());
const duration day = 24h;

/// A folder with a CA that works.
struct home {
  home() : made(open_local_ca(folder.path(), "ca", now).value()) {}
  std::string key_file() const { return folder.path() + "/ca.key"; }
  std::string cert_file() const { return folder.path() + "/ca.crt"; }
  /// Why it cannot be opened.
  error refusal(instant at = now) const {
    const auto opened = open_local_ca(folder.path(), "ca", at);
    REQUIRE_FALSE(opened.ok());
    return opened.err();
  }
  void write(const std::string& file, const std::string& text) const {
    REQUIRE(write_file_atomically(file, text, 0600).ok());
  }

  temporary_folder folder;
  key_and_cert made;
};

}  // namespace

TEST_CASE("a CA is made once, its key for its owner only", "[local_ca]") {
  const home h;
  const auto again = open_local_ca(h.folder.path(), "ca", now);
  REQUIRE(again.ok());
  CHECK(again->key_pem == h.made.key_pem);
  struct stat status {};
  REQUIRE(::stat(h.key_file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("what is issued has begun for peers whose clocks are a day behind", "[local_ca]") {
  const home h;
  const auto server = make_server_identity(h.made, {"hub.example", "10.0.0.1", "::1"}, now, 48h);
  REQUIRE(server.ok());
  CHECK(inspect_certificate(h.made.cert_pem)->not_before <= now - day);
  const auto info = inspect_certificate(server->cert_pem);
  CHECK(info->not_before <= now - day);
  CHECK(info->not_after - now <= 48h);
  CHECK(info->not_after - now > 47h);
  CHECK(info->server_auth);
}

TEST_CASE("a key that everybody may read is refused", "[local_ca]") {
  const home h;
  for (const mode_t mode : {0644, 0604, 0666, 0620, 0601}) {
    REQUIRE(::chmod(h.key_file().c_str(), mode) == 0);
    const auto why = h.refusal();
    CHECK(why.code == errc::forbidden);
    CHECK_THAT(why.message, Contains(h.key_file()) && Contains("chmod 600"));
  }
  REQUIRE(::chmod(h.key_file().c_str(), 0640) == 0);
  CHECK(open_local_ca(h.folder.path(), "ca", now).ok());
}

TEST_CASE("a key that cannot be read is named", "[local_ca]") {
  const home h;
  SECTION("it is a folder") {
    REQUIRE(::remove(h.key_file().c_str()) == 0);
    REQUIRE(::mkdir(h.key_file().c_str(), 0700) == 0);
    CHECK_THAT(h.refusal().message, Contains("cannot read " + h.key_file()));
  }
  SECTION("it is gone") {
    REQUIRE(::remove(h.key_file().c_str()) == 0);
    CHECK_THAT(h.refusal().message, Contains(h.key_file() + " is missing") && Contains("backup"));
  }
}

TEST_CASE("garbage in either file is refused with the file's name", "[local_ca]") {
  const home h;
  for (const auto* garbage : {"", "garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                              "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    h.write(h.key_file(), garbage);
    CHECK_THAT(h.refusal().message, Contains(h.key_file()) && Contains("backup"));
    h.write(h.key_file(), h.made.key_pem);
    h.write(h.cert_file(), garbage);
    CHECK_THAT(h.refusal().message, Contains(h.cert_file()) && Contains("backup"));
    h.write(h.cert_file(), h.made.cert_pem);
  }
  h.write(h.key_file(), h.made.key_pem.substr(0, h.made.key_pem.size() / 2));
  CHECK_THAT(h.refusal().message, Contains(h.key_file()));
}

TEST_CASE("key and certificate of two CAs are refused", "[local_ca]") {
  const home h, other;
  h.write(h.key_file(), other.made.key_pem);
  CHECK_THAT(h.refusal().message, Contains(h.key_file() + " is not the key of " + h.cert_file()));
}

TEST_CASE("a certificate that is not a CA's is refused", "[local_ca]") {
  const home h;
  const auto server = make_server_identity(h.made, {"localhost"}, now).value();
  h.write(h.key_file(), server.key_pem);
  h.write(h.cert_file(), server.cert_pem);
  CHECK_THAT(h.refusal().message, Contains("is not a CA's"));
}

TEST_CASE("a CA that has expired or not begun is refused with its time and the cure", "[local_ca]") {
  const home h;
  CHECK_THAT(h.refusal(now + 3660 * day).message,
             Contains(h.cert_file()) && Contains("the CA expired on 20") && Contains("join again"));
  CHECK_THAT(h.refusal(now - 2 * day).message, Contains(h.cert_file()) && Contains("set the clock"));
  CHECK(open_local_ca(h.folder.path(), "ca", now - day).ok());
}
