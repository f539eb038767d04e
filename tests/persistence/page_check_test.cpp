// Damaged pages: reported, or harmless. LMDB checks none of this itself, so whatever passes is read through it to the end.
#include "persistence/page_check.hpp"

#include <sys/wait.h>

#include <fstream>

#include "base/random.hpp"
#include "persistence/backup.hpp"
#include "persistence/lmdb_env.hpp"
#include "persistence/page_layout.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;
using namespace wh::storage;
namespace layout = wh::storage::page_layout;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A store with every kind of page: trees of several levels, bodies on overflow pages, and a list of free pages.
class sample {
 public:
  explicit sample(std::uint64_t seed) {
    lmdb_options o = options_for(dir_.sub("store"));
    o.history_max = 0;
    const auto s = open(o);
    rng r(seed);
    for (int i = 0; i < 40; ++i) {
      batch b;
      for (int k = 0; k < 40; ++k)
        b.puts.push_back({config(std::string(150, 'n') + std::to_string(r.below(900))),
                          share(std::string(r.chance(0.1) ? r.below(20000) : r.below(600), 'x')),
                          namespace_phase::active});
      must(*s, b);
      if (i % 8 == 7) compact_and_wait(*s, revision{s->window().current.get() - 300});
    }
    bytes = read_file(o.dir + "/data.mdb");
    const auto report = check(bytes);
    REQUIRE(report.problems.empty());
    bytes.resize((report.last_page + 1) * report.page_bytes);  // the rest is padding
    collect();
  }

  page_report check(const std::string& file) const {
    put_candidate(file);
    auto report = check_pages(dir_.sub("candidate"));
    if (!report) FAIL(report.err().message);
    return *std::move(report);
  }

  /// Damage that went unnoticed must do no harm: everything is read in a process whose death shows.
  bool harmless(const std::string& file) const {
    put_candidate(file);
    const pid_t child = ::fork();
    if (child == 0) {
      MDB_env* env = nullptr;
      MDB_txn* txn = nullptr;
      mdb_env_create(&env);
      mdb_env_set_maxdbs(env, 8);
      mdb_env_set_mapsize(env, file.size());
      if (mdb_env_open(env, dir_.sub("candidate").c_str(), MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0600) == 0 &&
          mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0)
        for (const char* table : {"meta", "versions", "log"}) read_table(txn, table);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status);
  }

  std::size_t page_bytes() const { return layout::load<layout::meta>(&bytes[16]).free_list.pad; }
  char* page(std::string& file, std::uint64_t number) const { return &file[number * page_bytes()]; }
  layout::page_view view(const std::string& file, std::uint64_t number) const {
    const char* at = &file[number * page_bytes()];
    return {number, at, layout::load<layout::page_header>(at)};
  }
  layout::meta newest() const {
    const auto a = layout::load<layout::meta>(&bytes[16]);
    const auto b = layout::load<layout::meta>(&bytes[page_bytes() + 16]);
    return a.txn < b.txn ? b : a;
  }

  std::string bytes;
  std::vector<std::uint64_t> branches, leaves, overflows, free_list, free;

 private:
  /// Writes what differs from the last one only: thousands of files are tried.
  void put_candidate(const std::string& file) const {
    const std::string path = dir_.sub("candidate");
    if (candidate_.size() != file.size()) {
      write_file(path, file);
    } else {
      std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
      for (std::size_t at = 0; at < file.size(); at += 512) {
        const std::size_t n = std::min<std::size_t>(512, file.size() - at);
        if (std::memcmp(&candidate_[at], &file[at], n) == 0) continue;
        out.seekp(static_cast<std::streamoff>(at));
        out.write(&file[at], static_cast<std::streamsize>(n));
      }
    }
    candidate_ = file;
  }

  static void read_table(MDB_txn* txn, const char* name) {
    MDB_dbi table = 0;
    MDB_cursor* cursor = nullptr;
    if (mdb_dbi_open(txn, name, 0, &table) != 0 || mdb_cursor_open(txn, table, &cursor) != 0) return;
    unsigned sum = 0;
    MDB_val key{};
    MDB_val value{};
    for (int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); rc == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
      for (const char c : to_view(value)) sum += static_cast<unsigned char>(c);
      MDB_val again{};
      mdb_get(txn, table, &key, &again);
    }
    volatile unsigned kept = sum;
    static_cast<void>(kept);
  }

  /// Sorts the pages by kind, trusting the file.
  void collect() {
    std::vector<std::uint64_t> roots{newest().main.root};
    while (!roots.empty()) {
      const auto p = view(bytes, roots.back());
      roots.pop_back();
      if (p.number != newest().main.root) (p.leaf() ? leaves : branches).push_back(p.number);
      for (std::size_t i = 0; i < p.nodes(); ++i) {
        if (!p.leaf()) roots.push_back(p.node(i).child());
        else if (p.node(i).flags == layout::sub_data) roots.push_back(layout::load<layout::tree>(p.value(i)).root);
        else if (p.node(i).flags == layout::big_data) overflows.push_back(layout::load<std::uint64_t>(p.value(i)));
      }
    }
    roots = {newest().free_list.root};
    while (!roots.empty()) {
      const auto p = view(bytes, roots.back());
      roots.pop_back();
      free_list.push_back(p.number);
      for (std::size_t i = 0; i < p.nodes(); ++i) {
        if (!p.leaf()) roots.push_back(p.node(i).child());
        else if (p.node(i).flags == 0)
          for (std::uint64_t k = layout::load<std::uint64_t>(p.value(i)); k > 0; --k)
            free.push_back(layout::load<std::uint64_t>(p.value(i) + 8 * k));
      }
    }
  }

  temp_dir dir_;
  mutable std::string candidate_;
};

std::string joined(const page_report& r) {
  std::string out;
  for (const std::string& p : r.problems) out += p + "\n";
  return out;
}

template <class T>
void store_at(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

std::uint64_t any(rng& r, const std::vector<std::uint64_t>& pages) { return pages[r.below(pages.size())]; }

}  // namespace

TEST_CASE("a sound file has no problems, and its pages add up", "[persistence][pages]") {
  const sample s(1);
  REQUIRE(s.branches.size() > 2);
  REQUIRE(s.leaves.size() > 100);
  REQUIRE(s.overflows.size() > 20);
  REQUIRE(s.free.size() > 20);
  const page_report r = s.check(s.bytes);
  REQUIRE(r.page_bytes == s.page_bytes());
  REQUIRE(r.lost == 0);
  REQUIRE(r.used + r.free == r.last_page + 1);
  REQUIRE(r.free >= s.free.size());
}

TEST_CASE("a copy, an empty environment and one of another program's are sound, too", "[persistence][pages]") {
  temp_dir dir;
  {
    const auto s = open(options_for(dir.sub("store")));
    for (int i = 0; i < 300; ++i) must(*s, put_of(config(std::to_string(i)), std::string(900, 'x')));
    REQUIRE(backup_store(*s, {}, dir.sub("backup")).ok());
    REQUIRE(backup_reader::open(dir.sub("backup"))->copy(backup_store_section, dir.sub("copy")).ok());
  }
  REQUIRE(joined(*check_pages(dir.sub("copy"))) == "");
  MDB_env* env = nullptr;
  mdb_env_create(&env);
  REQUIRE(mdb_env_open(env, dir.sub("empty").c_str(), MDB_NOSUBDIR, 0600) == 0);
  REQUIRE(joined(*check_pages(dir.sub("empty"))) == "");
  MDB_txn* txn = nullptr;
  MDB_dbi table = 0;
  REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
  REQUIRE(mdb_dbi_open(txn, nullptr, 0, &table) == 0);
  MDB_val one = to_val("one");
  REQUIRE(mdb_put(txn, table, &one, &one, 0) == 0);
  REQUIRE(mdb_txn_commit(txn) == 0);
  mdb_env_close(env);
  REQUIRE(joined(*check_pages(dir.sub("empty"))) == "");
}

TEST_CASE("a file that cannot be opened is an error, one of another kind a problem", "[persistence][pages]") {
  temp_dir dir;
  REQUIRE(check_pages(dir.sub("none")).err().code == errc::io);
  REQUIRE(check_pages(dir.sub("none")).err().message.find(dir.sub("none")) != std::string::npos);
  REQUIRE_FALSE(check_pages("/dev/null").ok());
  write_file(dir.sub("text"), std::string(20000, 't'));
  REQUIRE(check_pages(dir.sub("text"))->problems.size() == 1);
  write_file(dir.sub("nothing"), "");
  REQUIRE(check_pages(dir.sub("nothing"))->problems.size() == 1);
}

TEST_CASE("a page of another number, kind or place is named", "[persistence][pages]") {
  const sample s(2);
  rng r(2);
  for (const auto* pages : {&s.branches, &s.leaves, &s.overflows, &s.free_list}) {
    for (int i = 0; i < 10; ++i) {
      const std::uint64_t page = any(r, *pages);
      const std::string name = "page " + std::to_string(page) + ":";
      std::string file = s.bytes;
      store_at(s.page(file, page), page + 1);
      REQUIRE(joined(s.check(file)).find(name) != std::string::npos);
      file = s.bytes;
      store_at(s.page(file, page) + 10, std::uint16_t{0x20});
      REQUIRE(joined(s.check(file)).find(name) != std::string::npos);
      const std::uint64_t other = any(r, s.leaves);
      if (other == page) continue;
      file = s.bytes;
      std::swap_ranges(s.page(file, page), s.page(file, page) + s.page_bytes(), s.page(file, other));
      REQUIRE(joined(s.check(file)).find(name) != std::string::npos);
    }
  }
}

TEST_CASE("entries out of bounds, on top of each other or out of order are noticed", "[persistence][pages]") {
  const sample s(3);
  rng r(3);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t page = any(r, r.chance(0.3) ? s.branches : s.leaves);
    const auto p = s.view(s.bytes, page);
    const std::size_t a = r.below(p.nodes());
    const std::size_t b = r.below(p.nodes());
    std::string file = s.bytes;
    char* at = s.page(file, page);
    const int damage = static_cast<int>(r.below(4));
    INFO("page " << page << " entries " << a << ", " << b << " damage " << damage << " round " << i);
    if (damage == 0) store_at(at + 16 + 2 * a, static_cast<std::uint16_t>(r.chance(0.5) ? 0 : 4094));
    if (damage == 1) store_at(at + p.offset(a) + 6, static_cast<std::uint16_t>(p.key(a).size() + 2 + r.below(600)));
    if (damage == 2) store_at(at + 12, static_cast<std::uint16_t>(p.header.lower - 2));
    if (damage == 3) {
      if (a == b) continue;
      store_at(at + 16 + 2 * a, static_cast<std::uint16_t>(p.offset(b)));
      store_at(at + 16 + 2 * b, static_cast<std::uint16_t>(p.offset(a)));
    }
    REQUIRE(joined(s.check(file)).find("page " + std::to_string(page) + ":") != std::string::npos);
  }
}

TEST_CASE("a child that is free, shared or no page at all is noticed", "[persistence][pages]") {
  const sample s(4);
  rng r(4);
  for (int i = 0; i < 60; ++i) {
    const auto p = s.view(s.bytes, any(r, s.branches));
    const std::size_t a = r.below(p.nodes());
    const std::uint64_t target = i % 3 == 0   ? any(r, s.free)
                                 : i % 3 == 1 ? any(r, r.chance(0.5) ? s.leaves : s.branches)
                                              : r.below(100000000);
    if (target == p.node(a).child()) continue;
    std::string file = s.bytes;
    char* at = s.page(file, p.number) + p.offset(a);
    store_at(at, static_cast<std::uint32_t>(target));
    store_at(at + 4, static_cast<std::uint16_t>(target >> 32));
    INFO("page " << p.number << " entry " << a << " points to " << target);
    REQUIRE_FALSE(s.check(file).problems.empty());
  }
}

TEST_CASE("a list of free pages that names one in use, one twice or none that exists is noticed",
          "[persistence][pages]") {
  const sample s(5);
  rng r(5);
  // An entry that lists its pages on the leaf itself; long lists lie on overflow pages.
  std::uint64_t leaf = 0;
  std::size_t entry = 0;
  for (const std::uint64_t page : s.free_list) {
    const auto p = s.view(s.bytes, page);
    for (std::size_t i = 0; p.leaf() && i < p.nodes(); ++i)
      if (p.node(i).flags == 0 && layout::load<std::uint64_t>(p.value(i)) > 1) leaf = page, entry = i;
  }
  REQUIRE(leaf != 0);
  const auto p = s.view(s.bytes, leaf);
  const auto value = static_cast<std::size_t>(p.value(entry) - p.bytes);
  const auto count = layout::load<std::uint64_t>(p.value(entry));
  for (const std::uint64_t wrong : {any(r, s.leaves), s.newest().last_page + 1, std::uint64_t{1}, ~std::uint64_t{0},
                                    layout::load<std::uint64_t>(p.value(entry) + 8)}) {
    std::string file = s.bytes;
    store_at(s.page(file, leaf) + value + 16, wrong);
    INFO("entry " << entry << " of page " << leaf << ": " << count << " pages, the second is now " << wrong);
    REQUIRE_FALSE(s.check(file).problems.empty());
  }
  std::string file = s.bytes;
  store_at(s.page(file, leaf) + value, count + 1000);
  REQUIRE_FALSE(s.check(file).problems.empty());
}

TEST_CASE("an older state that claims to be the newest is noticed", "[persistence][pages]") {
  const sample s(6);
  const std::uint64_t newest = s.newest().txn;
  for (const std::uint64_t claimed : {newest + 1, newest + 3, newest + 1000}) {
    std::string file = s.bytes;
    store_at(s.page(file, (newest + 1) % 2) + 16 + offsetof(layout::meta, txn), claimed);
    REQUIRE_FALSE(s.check(file).problems.empty());
  }
}

TEST_CASE("counts of entries and pages that are wrong are noticed", "[persistence][pages]") {
  const sample s(7);
  std::string file = s.bytes;
  char* meta = s.page(file, s.newest().txn % 2) + 16;
  for (const std::size_t tree : {offsetof(layout::meta, main), offsetof(layout::meta, free_list)})
    for (const std::size_t field :
         {offsetof(layout::tree, depth), offsetof(layout::tree, branch_pages), offsetof(layout::tree, leaf_pages),
          offsetof(layout::tree, overflow_pages), offsetof(layout::tree, entries), offsetof(layout::tree, root)}) {
      ++meta[tree + field];
      REQUIRE_FALSE(s.check(file).problems.empty());
      --meta[tree + field];
    }
  REQUIRE(s.check(file).problems.empty());
}

TEST_CASE("no more problems are told than were asked for", "[persistence][pages]") {
  const sample s(8);
  std::string file = s.bytes;
  for (const std::uint64_t page : s.leaves) store_at(s.page(file, page), std::uint64_t{0});
  REQUIRE(s.check(file).problems.size() == 20);
}

TEST_CASE("random damage to any page is reported or harmless", "[persistence][pages]") {
  const std::uint64_t seed = 700 + static_cast<std::uint64_t>(GENERATE(range(0, 4)));
  const sample s(seed);
  rng r(seed);
  std::vector<std::uint64_t> pages(10, s.newest().main.root);
  for (const auto* kind : {&s.branches, &s.leaves, &s.free_list}) pages.insert(pages.end(), kind->begin(), kind->end());
  int reported = 0;
  int unnoticed = 0;
  for (int i = 0; i < 400; ++i) {
    const bool meta = i % 8 == 0;
    const std::uint64_t page = meta ? r.below(2) : any(r, i % 3 == 0 ? s.branches : pages);
    // Headers and offsets are few among many bytes of keys and bodies; half of the damage goes there.
    const std::size_t reach = meta ? 160 : r.chance(0.5) ? 48 : s.page_bytes();
    const std::size_t run = r.chance(0.5) ? 1 : 8;
    const std::size_t at = r.below(reach - run + 1);
    std::string file = s.bytes;
    for (std::size_t k = 0; k < run; ++k) s.page(file, page)[at + k] = static_cast<char>(r.below(256));
    INFO("seed " << seed << " round " << i << ": " << run << " bytes at " << at << " of page " << page);
    if (!s.check(file).problems.empty()) {
      ++reported;
      continue;
    }
    REQUIRE(s.harmless(file));
    ++unnoticed;
  }
  INFO(reported << " reported, " << unnoticed << " harmless");
  REQUIRE(reported > 100);
  REQUIRE(unnoticed > 20);
}

TEST_CASE("a store with a damaged page is refused, with the page and what to do", "[persistence][pages]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  {
    const auto s = open(o);
    for (int i = 0; i < 300; ++i) must(*s, put_of(config(std::to_string(i)), std::string(900, 'x')));
  }
  std::string file = read_file(o.dir + "/data.mdb");
  const auto a = layout::load<layout::meta>(&file[16]);
  const auto b = layout::load<layout::meta>(&file[a.free_list.pad + 16]);
  const std::uint64_t root = (a.txn < b.txn ? b : a).main.root;
  ++file[root * a.free_list.pad + 12];
  write_file(o.dir + "/data.mdb", file);
  const auto refused = open_lmdb_store(o);
  REQUIRE(refused.err().code == errc::corrupt);
  REQUIRE(refused.err().message.find(o.dir + "/data.mdb") != std::string::npos);
  REQUIRE(refused.err().message.find("page " + std::to_string(root)) != std::string::npos);
  REQUIRE(refused.err().message.find("restore a backup") != std::string::npos);
}
