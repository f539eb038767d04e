#include "nodes/common/files.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>

#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat info = {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

}  // namespace

TEST_CASE("an atomically written file has the new contents and exactly the asked mode", "[files]") {
  const test::temporary_folder folder;
  const auto path = folder.file("secret");
  const auto umask_before = ::umask(0);
  REQUIRE(write_file_atomically(path, "one", 0600));
  ::umask(077);
  REQUIRE(write_file_atomically(path, "two", 0644));
  ::umask(umask_before);
  CHECK(*read_file(path) == "two");
  CHECK(mode_of(path) == 0644);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a file that cannot be replaced leaves nothing behind and names the path", "[files]") {
  const test::temporary_folder folder;
  const auto path = folder.file("taken");
  REQUIRE(make_folder(path + "/inside", 0700));
  const auto written = write_file_atomically(path, "x", 0600);
  REQUIRE_FALSE(written);
  CHECK(written.err().code == errc::io);
  CHECK(written.err().message.find(path) != std::string::npos);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("reading says whether a file is absent or too large", "[files]") {
  const test::temporary_folder folder;
  const auto absent = read_file(folder.file("nowhere"));
  REQUIRE_FALSE(absent);
  CHECK(absent.err().code == errc::not_found);
  CHECK(absent.err().message == "cannot read " + folder.file("nowhere") + ": No such file or directory");
  REQUIRE(write_file_atomically(folder.file("big"), std::string(100, 'x'), 0600));
  CHECK(read_file(folder.file("big"), 100).ok());
  const auto large = read_file(folder.file("big"), 99);
  REQUIRE_FALSE(large);
  CHECK(large.err().code == errc::too_large);
}

TEST_CASE("folders are made with their parents, and a file in the way is an error", "[files]") {
  const test::temporary_folder folder;
  REQUIRE(make_folder(folder.file("a/b/c/"), 0700));
  REQUIRE(make_folder(folder.file("a/b/c"), 0700));
  CHECK(mode_of(folder.file("a/b")) == 0700);
  REQUIRE(write_file_atomically(folder.file("a/file"), "", 0600));
  CHECK_FALSE(make_folder(folder.file("a/file"), 0700));
  CHECK_FALSE(make_folder(folder.file("a/file/below"), 0700));
}

TEST_CASE("relative names are resolved beside the file that mentions them", "[files]") {
  CHECK(path_beside("/etc/hub/kubeconfig", "ca.crt") == "/etc/hub/ca.crt");
  CHECK(path_beside("/etc/hub/kubeconfig", "/other/ca.crt") == "/other/ca.crt");
  CHECK(path_beside("kubeconfig", "ca.crt") == "ca.crt");
}
