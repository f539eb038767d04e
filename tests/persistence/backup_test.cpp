// Backups: the file, what is in it, and the new history that a restore begins.
#include "persistence/backup.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "base/random.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

void write_all(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

/// A backup file of two sections, without a store.
std::string small_file(const temp_dir& dir) {
  const std::string path = dir.sub("small");
  auto writer = backup_writer::create(path);
  REQUIRE(writer.ok());
  REQUIRE(writer->add("description", R"({"what":"a test"})").ok());
  REQUIRE(writer->add("empty", "").ok());
  REQUIRE(writer->finish().ok());
  return path;
}

errc restore_code(const std::string& path, const lmdb_options& o) {
  auto from = backup_reader::open(path);
  const auto done = from ? restore_store(*from, o) : result<void>(from.err());
  REQUIRE_FALSE(done.ok());
  return done.err().code;
}

}  // namespace

TEST_CASE("what was put into a backup file comes out of it", "[persistence][backup]") {
  temp_dir dir;
  const std::string path = small_file(dir);
  REQUIRE(mode_of(path) == 0600);
  const auto reader = backup_reader::open(path);
  REQUIRE(reader.ok());
  REQUIRE(reader->sections().size() == 2);
  REQUIRE(*reader->read("description") == R"({"what":"a test"})");
  REQUIRE(*reader->read("empty") == "");
  REQUIRE(reader->read("store").err().code == errc::not_found);
  REQUIRE(reader->copy("description", dir.sub("copy")).ok());
  REQUIRE(read_all(dir.sub("copy")) == R"({"what":"a test"})");
  REQUIRE(mode_of(dir.sub("copy")) == 0600);
  REQUIRE(backup_writer::create(path).err().code == errc::already_exists);
}

TEST_CASE("the first bytes of a backup tell its size", "[persistence][backup]") {
  temp_dir dir;
  const std::string bytes = read_all(small_file(dir));
  const auto announced = [&](std::size_t n) { return announced_backup_size(std::string_view(bytes).substr(0, n), "empty"); };
  std::size_t n = 0;
  while (!announced(n)) REQUIRE(++n < bytes.size());
  REQUIRE(*announced(n) == bytes.size());
  REQUIRE(n < bytes.size() - 50);
  REQUIRE_FALSE(announced_backup_size(std::string(64, '\xff'), "empty"));
}

TEST_CASE("no byte of a backup file can be changed, cut off or added unnoticed", "[persistence][backup]") {
  temp_dir dir;
  const std::string bytes = read_all(small_file(dir));
  const std::string path = dir.sub("damaged");
  const auto refused = [&](const std::string& changed) {
    write_all(path, changed);
    const auto opened = backup_reader::open(path);
    return !opened.ok() && opened.err().message.find(path) != std::string::npos;
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int mask : {1, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ mask);
      INFO("byte " << i << " mask " << mask);
      REQUIRE(refused(changed));
    }
    REQUIRE(refused(bytes.substr(0, i)));
    REQUIRE(refused(bytes + bytes.substr(0, i + 1)));
  }
  write_all(path, bytes);
  REQUIRE(backup_reader::open(path).ok());
}

TEST_CASE("an unfinished backup leaves nothing behind", "[persistence][backup]") {
  temp_dir dir;
  const std::string path = dir.sub("backup");
  {
    auto writer = backup_writer::create(path);
    REQUIRE(writer->add("a", "b").ok());
    REQUIRE(writer->add_from("c", [](int) { return result<void>(fail(errc::io, "no")); }).err().message == "no");
  }
  REQUIRE_FALSE(std::filesystem::exists(path));
  REQUIRE_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST_CASE("a restored backup is another history beyond the old one's revisions", "[persistence][backup]") {
  temp_dir dir;
  const auto s = open(options_for(dir.sub("store")));
  for (int i = 0; i < 10; ++i) must(*s, put_of(config("a"), std::to_string(i)));
  must(*s, put_of(config("dead"), "x"));
  must(*s, erase_of(config("dead")));
  const auto size = backup_store(*s, {{"description", "hello"}}, dir.sub("backup"));
  REQUIRE(size.ok());
  REQUIRE(*size == std::filesystem::file_size(dir.sub("backup")));
  REQUIRE(backup_store(*s, {}, dir.sub("backup")).err().code == errc::already_exists);
  REQUIRE(mode_of(dir.sub("backup")) == 0600);
  must(*s, put_of(config("a"), "after the backup"));

  lmdb_options o = options_for(dir.sub("restored"));
  o.incarnation_seed = "second-life";
  const auto from = backup_reader::open(dir.sub("backup"));
  REQUIRE(*from->read("description") == "hello");
  REQUIRE(restore_store(*from, o).ok());
  REQUIRE(restore_code(dir.sub("backup"), o) == errc::already_exists);
  const auto r = open(o);
  REQUIRE(r->incarnation_id() == "second-life");
  REQUIRE(body_of(*r, config("a")) == "9");
  REQUIRE(body_of(*r, config("dead")) == "-");
  REQUIRE(r->window().current > s->window().current);
  REQUIRE(r->changes_since(revision{5}, 0).err().code == errc::gone);
  REQUIRE((**r->get(config("a"))).rev == revision{10});
  must(*r, when(at_revision{config("a"), revision{10}}, put_of(config("a"), "new")));
  REQUIRE(backup_store(*make_memory_store("m"), {}, dir.sub("none")).err().code == errc::unsupported);
}

TEST_CASE("what is no backup cannot be restored and leaves no store behind", "[persistence][backup]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("restored"));
  REQUIRE(restore_code(dir.sub("missing"), o) == errc::not_found);
  std::string garbage;
  for (int i = 0; i < 50000; ++i) garbage.push_back(static_cast<char>(i * 7 % 251));
  write_all(dir.sub("garbage"), garbage);
  REQUIRE(restore_code(dir.sub("garbage"), o) == errc::corrupt);
  REQUIRE(restore_code(small_file(dir), o) == errc::not_found);
  auto writer = backup_writer::create(dir.sub("no store"));
  REQUIRE(writer->add(backup_store_section, garbage).ok());
  REQUIRE(writer->finish().ok());
  REQUIRE(restore_code(dir.sub("no store"), o) == errc::corrupt);
  REQUIRE(open_lmdb_store(o).ok());
}

TEST_CASE("a backup is taken while writers go on, and is consistent", "[persistence][backup]") {
  constexpr std::uint64_t seed = 77;
  INFO("seed " << seed);
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.history_max = 500;
  const auto s = open(o);
  std::atomic<int> acknowledged{-1};
  // Two objects that always change together.
  const std::jthread writer([&](const std::stop_token& stop) {
    rng r(seed);
    for (int i = 0; !stop.stop_requested(); ++i) {
      batch b = put_of(config("left"), std::to_string(i));
      b.puts.push_back({config("right"), share(std::to_string(i)), namespace_phase::active});
      b.puts.push_back({config("ballast" + std::to_string(r.below(200))), share(std::string(2000, 'x')), {}});
      if (commit_of(*s, std::move(b))) acknowledged = i;
    }
  });
  REQUIRE(eventually([&] { return acknowledged >= 0; }));
  for (int n = 0; n < 5; ++n) {
    const std::string path = dir.sub("backup" + std::to_string(n));
    const int before = acknowledged;
    REQUIRE(backup_store(*s, {}, path).ok());
    const lmdb_options restored = options_for(dir.sub("restored" + std::to_string(n)));
    REQUIRE(restore_store(*backup_reader::open(path), restored).ok());
    const auto r = open(restored);
    REQUIRE(body_of(*r, config("left")) == body_of(*r, config("right")));
    REQUIRE(std::stoi(body_of(*r, config("left"))) >= before);
  }
}
