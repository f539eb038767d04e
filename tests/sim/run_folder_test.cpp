#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "nodes/common/files.hpp"
#include "sim/live/run_folder.hpp"

using namespace wh;
namespace fs = std::filesystem;

namespace {

struct scratch {
  std::string path = (fs::temp_directory_path() / "wh-run-folder-XXXXXX").string();
  scratch() { REQUIRE(::mkdtemp(path.data())); }
  ~scratch() { fs::remove_all(path); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
};

void put(const std::string& path, const std::string& text) { REQUIRE(write_file_atomically(path, text, 0644).ok()); }

}  // namespace

TEST_CASE("an undone run takes the folders that it made, and no other", "[sim][run_folder]") {
  const scratch here;
  const auto folder = run_folder::open(here.path + "/a/b/c//");
  REQUIRE(folder.ok());
  CHECK(folder->path() == here.path + "/a/b/c");
  put(folder->hub_log(), "words");
  folder->undo();
  CHECK(fs::is_empty(here.path));
}

TEST_CASE("an undone run leaves a folder as it found it", "[sim][run_folder]") {
  const scratch here;
  put(here.path + "/hub.log", "of an earlier run");
  put(here.path + "/mine", "mine");
  const auto folder = run_folder::open(here.path);
  REQUIRE(folder.ok());
  put(folder->hub_log(), "of an earlier run, and of this one");
  REQUIRE(make_folder(folder->hub_data(), 0755).ok());
  folder->undo();
  CHECK(*read_file(here.path + "/hub.log") == "of an earlier run");
  CHECK(*read_file(here.path + "/mine") == "mine");
  CHECK_FALSE(fs::exists(folder->hub_data()));
}

TEST_CASE("a run that could not begin leaves its hub's words, if there are any", "[sim][run_folder]") {
  const scratch here;
  for (const std::string words : {"", "why it did not start"}) {
    const auto folder = run_folder::open(here.path + "/out");
    REQUIRE(folder.ok());
    put(folder->hub_log(), words);
    folder->undo_if_wordless();
    CHECK(fs::exists(here.path + "/out") == !words.empty());
  }
}

TEST_CASE("a path that is no folder, or has another hub's data, is refused", "[sim][run_folder]") {
  const scratch here;
  put(here.path + "/file", "keep");
  for (const char* path : {"/file", "/file/below"}) CHECK_FALSE(run_folder::open(here.path + path).ok());
  CHECK(*read_file(here.path + "/file") == "keep");
  REQUIRE(make_folder(here.path + "/hub-data", 0755).ok());
  const auto refused = run_folder::open(here.path);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.err().code == errc::already_exists);
  CHECK(fs::exists(here.path + "/hub-data"));
}
