// Damaged files: an error that says what to do, never a crash.
#include <fcntl.h>

#include <fstream>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

void fill(const lmdb_options& o) {
  const auto s = open(o);
  for (int i = 0; i < 300; ++i) must(*s, put_of(config(std::to_string(i)), std::string(1000, 'x')));
}

void overwrite(const std::string& path, std::streamoff at, std::size_t n, std::uint64_t seed) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  rng r(seed);
  for (std::size_t i = 0; i < n; ++i) file.put(static_cast<char>(r.below(256)));
}

/// Changes one record's bytes in place, as a bad disk would.
template <class Change>
void damage_log(const lmdb_options& o, revision rev, Change change) {
  auto env = storage::lmdb_env::open(o);
  REQUIRE(env.ok());
  auto txn = (*env)->begin_write();
  std::string position;
  append_be64(position, rev.get());
  MDB_val key = storage::to_val(position);
  MDB_val value{};
  REQUIRE(mdb_get(txn->get(), (*env)->tables().log, &key, &value) == 0);
  std::string bytes(storage::to_view(value));
  change(bytes);
  value = storage::to_val(bytes);
  REQUIRE(mdb_put(txn->get(), (*env)->tables().log, &key, &value, 0) == 0);
  REQUIRE((*env)->commit(*std::move(txn)).ok());
}

}  // namespace

TEST_CASE("a data file that was cut short is refused", "[persistence][damage]") {
  for (std::uintmax_t size : {0U, 1U, 4095U, 4096U, 8192U, 20000U, 100000U}) {
    temp_dir dir;
    const lmdb_options o = options_for(dir.sub("store"));
    fill(o);
    std::filesystem::resize_file(o.dir + "/data.mdb", size);
    const auto refused = open_lmdb_store(o);
    INFO(size);
    REQUIRE_FALSE(refused.ok());
    REQUIRE(refused.err().code == errc::corrupt);
    REQUIRE(refused.err().message.find(o.dir) != std::string::npos);
  }
}

TEST_CASE("a missing data file is noticed, a folder that never held a store is not", "[persistence][damage]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  std::filesystem::remove(o.dir + "/data.mdb");
  REQUIRE(open_lmdb_store(o).err().code == errc::corrupt);
  std::filesystem::remove(o.dir + "/created");
  REQUIRE(open_lmdb_store(o).ok());
}

TEST_CASE("a store whose creation was cut off is created anew, one that was finished never is",
          "[persistence][damage]") {
  for (const std::streamoff lost : {0, 4096}) {
    for (const bool finished : {false, true}) {
      INFO("page at " << lost << (finished ? ", finished" : ", not finished"));
      temp_dir dir;
      const lmdb_options o = options_for(dir.sub("store"));
      std::filesystem::create_directories(o.dir);
      MDB_env* env = nullptr;
      REQUIRE(mdb_env_create(&env) == 0);
      REQUIRE(mdb_env_open(env, o.dir.c_str(), 0, 0600) == 0);
      mdb_env_close(env);
      std::fstream file(o.dir + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(lost);
      file.write(std::string(4096, '\0').data(), 4096);
      file.close();
      if (finished) std::ofstream(o.dir + "/created").close();
      const auto opened = open_lmdb_store(o);
      REQUIRE(opened.ok() == !finished);
      if (opened.ok()) must(**opened, put_of(config("a"), "1"));
    }
  }
}

TEST_CASE("a data file full of garbage is refused", "[persistence][damage]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    temp_dir dir;
    const lmdb_options o = options_for(dir.sub("store"));
    fill(o);
    overwrite(o.dir + "/data.mdb", 0, 200000, seed);
    const auto refused = open_lmdb_store(o);
    REQUIRE(refused.err().code == errc::corrupt);
    REQUIRE(refused.err().message.find(o.dir) != std::string::npos);
  }
}

TEST_CASE("an LMDB file of somebody else's is refused", "[persistence][damage]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  const std::string table = GENERATE("", "meta", "accounts");
  std::filesystem::create_directories(o.dir);
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  REQUIRE(mdb_env_create(&env) == 0);
  REQUIRE(mdb_env_set_maxdbs(env, 1) == 0);
  REQUIRE(mdb_env_open(env, o.dir.c_str(), 0, 0600) == 0);
  REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
  REQUIRE(mdb_dbi_open(txn, table.empty() ? nullptr : table.c_str(), MDB_CREATE, &dbi) == 0);
  MDB_val key = storage::to_val("other");
  MDB_val value = storage::to_val("program");
  REQUIRE(mdb_put(txn, dbi, &key, &value, 0) == 0);
  REQUIRE(mdb_txn_commit(txn) == 0);
  mdb_env_close(env);
  REQUIRE(open_lmdb_store(o).err().code == errc::corrupt);
}

TEST_CASE("a damaged record is an error for those who read it and for nobody else", "[persistence][damage]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  const auto damage = GENERATE(0, 1, 2);
  damage_log(o, revision{100}, [&](std::string& bytes) {
    if (damage == 0) bytes.back() = static_cast<char>(bytes.back() ^ 1);
    if (damage == 1) bytes.resize(5);
    if (damage == 2) bytes[2] = '\x7f';
  });
  const auto s = open(o);
  REQUIRE(s->get(config("99")).err().code == errc::corrupt);
  REQUIRE(s->get(config("99")).err().message.find("99") != std::string::npos);
  REQUIRE(body_of(*s, config("98")).size() == 1000);
  REQUIRE(s->list({"configmaps", "", ""}).err().code == errc::corrupt);
  REQUIRE(s->changes_since(revision{50}, 0).err().code == errc::corrupt);
  REQUIRE(s->changes_since(revision{100}, 0).ok());
  REQUIRE(code_of(*s, put_of(config("99"), "new")) == errc::corrupt);
  must(*s, put_of(config("98"), "new"));
  REQUIRE(s->health().writable);
  compact_and_wait(*s, s->window().current);
  REQUIRE(body_of(*s, config("98")) == "new");
}
