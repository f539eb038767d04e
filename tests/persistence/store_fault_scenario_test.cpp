// One fault at a time, at every place of a scenario; processes that die; damage while the store runs.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "base/random.hpp"
#include "persistence/page_layout.hpp"
#include "persistence/verify.hpp"
#include "tests/persistence/faulty_disk.hpp"

using namespace wh;
using namespace wh::test;

namespace {

using bodies = std::map<std::string, std::string>;

std::string problems_of(const std::string& dir) {
  verify_options v;
  v.dir = dir;
  const auto report = verify_store(v);
  if (!report) return report.err().message;
  std::string out;
  for (const std::string& p : report->problems) out += p + "\n";
  return out;
}

void require_same(const store& s, const bodies& expected) {
  for (const auto& [name, body] : expected) REQUIRE(body_of(s, config(name)) == body);
}

std::string reason_of(int error) { return std::strerror(error == disk::cut_short ? EIO : error); }

/// A dozen commits that add, replace, remove and compact, some with large bodies. What fails is tried once more, and
/// the failed attempt must leave no trace.
bodies run_scenario(store& s, const std::string& dir, int error, int& failures) {
  bodies acknowledged;
  rng r(77);
  for (int i = 0; i < 12; ++i) {
    const std::string name = "o" + std::to_string(r.below(5));
    const bool remove = r.chance(0.25);
    const std::string body = std::to_string(i) + std::string(r.chance(0.5) ? r.below(9000) : r.below(50), 'x');
    const auto attempt = [&](const std::string& suffix) {
      return commit_of(s, remove ? erase_of(config(name)) : put_of(config(name), body + suffix));
    };
    auto outcome = attempt("first");
    if (!outcome) {
      ++failures;
      REQUIRE(outcome.err().code == errc::read_only);
      REQUIRE(outcome.err().message.find(dir) != std::string::npos);
      REQUIRE(outcome.err().message.find(reason_of(error)) != std::string::npos);
      require_same(s, acknowledged);
      outcome = attempt("second");
      acknowledged[name] = remove ? "-" : body + "second";
    } else {
      acknowledged[name] = remove ? "-" : body + "first";
    }
    if (!outcome) FAIL(outcome.err().message);
  }
  REQUIRE(s.health().writable);
  return acknowledged;
}

struct misfortune {
  const char* name;
  disk::operation what;
  int error;
};

/// Waits in a child for its parent's word, then does `work` and stays until it is killed.
class companion {
 public:
  explicit companion(const std::function<bool()>& work) {
    REQUIRE(::pipe(go_) == 0);
    REQUIRE(::pipe(done_) == 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    char byte = 0;
    static_cast<void>(!::read(go_[0], &byte, 1));
    byte = work() ? 'y' : 'n';
    static_cast<void>(!::write(done_[1], &byte, 1));
    for (;;) ::pause();
  }
  ~companion() {
    kill();
    for (const int fd : {go_[0], go_[1], done_[0], done_[1]}) ::close(fd);
  }
  companion(const companion&) = delete;
  companion& operator=(const companion&) = delete;

  bool work() {
    char byte = 'g';
    REQUIRE(::write(go_[1], &byte, 1) == 1);
    REQUIRE(::read(done_[0], &byte, 1) == 1);
    return byte == 'y';
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  int go_[2];
  int done_[2];
  pid_t pid_ = 0;
};

/// Opens the folder as any LMDB tool would and begins to read.
bool read_for_ever(const std::string& dir) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  return mdb_env_create(&env) == 0 && mdb_env_set_maxreaders(env, 1024) == 0 &&
         mdb_env_set_mapsize(env, std::size_t{1} << 30) == 0 && mdb_env_open(env, dir.c_str(), MDB_RDONLY, 0600) == 0 &&
         mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0;
}

/// Replaces the same objects over and over: 60 MiB through pages that can be reused.
void churn(store& s) {
  for (int i = 0; i < 3000; ++i) must(s, put_of(config(std::to_string(i % 20)), std::string(20000, 'x')));
}

}  // namespace

TEST_CASE("whichever write or sync fails, what was acknowledged is there and nothing else", "[persistence][fault]") {
  const auto m = GENERATE(misfortune{"full", disk::operation::write, ENOSPC},
                          misfortune{"write error", disk::operation::write, EIO},
                          misfortune{"short write", disk::operation::write, disk::cut_short},
                          misfortune{"sync error", disk::operation::sync, EIO});
  int struck = 0;
  for (int nth = 1;; ++nth) {
    INFO(m.name << " at operation " << nth);
    temp_dir dir;
    const healed_afterwards guard;
    lmdb_options o = durable_options(dir.sub("store"));
    o.history_max = 4;
    bodies acknowledged;
    int failures = 0;
    {
      const auto s = open(o);
      the_disk().watch(o.dir + "/data.mdb");
      the_disk().doom(m.what, nth, m.error);
      acknowledged = run_scenario(*s, o.dir, m.error, failures);
      if (!the_disk().struck()) break;
      REQUIRE(failures == 1);
      ++struck;
    }
    the_disk().reset();
    REQUIRE(problems_of(o.dir) == "");
    const auto s = open(o);
    require_same(*s, acknowledged);
    must(*s, put_of(config("new"), "x"));
  }
  REQUIRE(struck >= 8);
}

TEST_CASE("a file that cannot be made longer in advance is no obstacle", "[persistence][fault]") {
  // With these, pages at the end are taken and given back by one transaction, so that LMDB never writes them.
  const std::uint64_t seed = GENERATE(45U, 50U);
  INFO("seed " << seed);
  temp_dir dir;
  const healed_afterwards guard;
  lmdb_options o = durable_options(dir.sub("store"));
  o.history_max = 10;
  { open(o); }
  std::filesystem::resize_file(o.dir + "/data.mdb", 65536);
  the_disk().watch(o.dir + "/data.mdb");
  the_disk().set(&disk::truncate_error, EFBIG);
  rng r(seed);
  bodies acknowledged;
  for (int life = 0; life < 10; ++life) {
    const auto s = open(o);
    require_same(*s, acknowledged);
    for (int i = 0; i < 40; ++i) {
      const std::string name = std::to_string(r.below(30));
      const bool remove = r.chance(0.3);
      const std::string body(r.below(30000), 'x');
      batch b = remove ? erase_of(config(name)) : put_of(config(name), body);
      if (r.chance(0.3))
        for (int k = 0; k < 60; ++k)
          b.puts.push_back({config("z"), share(std::string(r.below(4000), 'z')), namespace_phase::active});
      must(*s, b);
      acknowledged[name] = remove ? "-" : body;
    }
  }
  REQUIRE(problems_of(o.dir) == "");
}

TEST_CASE("a page that the disk cannot read is named at the start", "[persistence][fault]") {
  temp_dir dir;
  const healed_afterwards guard;
  const lmdb_options o = options_for(dir.sub("store"));
  {
    const auto s = open(o);
    for (int i = 0; i < 100; ++i) must(*s, put_of(config(std::to_string(i)), std::string(500, 'x')));
  }
  the_disk().watch(o.dir + "/data.mdb");
  for (int nth = 1; nth <= 10; ++nth) {
    INFO("read " << nth);
    the_disk().doom(disk::operation::read, nth, EIO);
    const auto refused = open_lmdb_store(o);
    REQUIRE(refused.err().code == errc::corrupt);
    REQUIRE(refused.err().message.find(o.dir + "/data.mdb is damaged: page ") != std::string::npos);
    REQUIRE(refused.err().message.find(reason_of(EIO)) != std::string::npos);
  }
  the_disk().reset();
  REQUIRE(body_of(*open(o), config("99")).size() == 500);
}

TEST_CASE("a store that another process has open is refused to openers and verifiers", "[persistence][fault]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  companion other([&] {
    static const auto s = open_lmdb_store(o);
    return s.ok() && commit_of(**s, put_of(config("a"), "acknowledged")).ok();
  });
  REQUIRE(other.work());
  const std::string holder = "process " + std::to_string(other.pid());
  REQUIRE(open_lmdb_store(o).err().code == errc::unavailable);
  REQUIRE(open_lmdb_store(o).err().message.find(holder) != std::string::npos);
  REQUIRE(problems_of(o.dir).find(holder) != std::string::npos);
  other.kill();
  REQUIRE(problems_of(o.dir) == "");
  REQUIRE(body_of(*open(o), config("a")) == "acknowledged");
}

TEST_CASE("a reader that died does not keep pages from being reused", "[persistence][fault]") {
  const bool while_running = GENERATE(true, false);
  INFO("while the store runs: " << while_running);
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.history_max = 20;
  companion reader([&] { return read_for_ever(o.dir); });
  std::unique_ptr<store> s = open(o);
  must(*s, put_of(config("a"), "x"));
  REQUIRE(reader.work());
  if (!while_running) s.reset();
  reader.kill();
  if (!while_running) s = open(o);
  churn(*s);
  REQUIRE(s->figures().file_bytes < 20 << 20);
  s.reset();
  REQUIRE(problems_of(o.dir) == "");
}

TEST_CASE("a page that was damaged while the store ran is found at its next start", "[persistence][fault]") {
  namespace layout = storage::page_layout;
  temp_dir dir;
  const lmdb_options o = durable_options(dir.sub("store"));
  const std::string path = o.dir + "/data.mdb";
  std::uint64_t root = 0;
  {
    const auto s = open(o);
    for (int i = 0; i < 100; ++i) must(*s, put_of(config(std::to_string(i)), "x"));
    layout::meta metas[2];
    std::ifstream in(path, std::ios::binary);
    for (int i = 0; i < 2; ++i) {
      in.seekg(i * 4096 + 16);
      in.read(reinterpret_cast<char*>(&metas[i]), sizeof metas[i]);
    }
    root = (metas[0].txn < metas[1].txn ? metas[1] : metas[0]).main.root;
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(root * 4096));
    out.write(std::string(64, '\xff').data(), 64);
  }
  const std::string page = "page " + std::to_string(root) + ":";
  const auto refused = open_lmdb_store(o);
  REQUIRE(refused.err().code == errc::corrupt);
  REQUIRE(refused.err().message.find(path) != std::string::npos);
  REQUIRE(refused.err().message.find(page) != std::string::npos);
  REQUIRE(problems_of(o.dir).find(page) == 0);
}
