// What only the store on disk does: restarts, locks, limits, groups, backups.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <condition_variable>
#include <mutex>

#include "base/encoding.hpp"
#include "persistence/lmdb_env.hpp"
#include "persistence/lmdb_tables.hpp"
#include "persistence/store_lock.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// Holds the writer thread inside a completion, so that a test decides what queues meanwhile.
class stalled_writer {
 public:
  explicit stalled_writer(store& s) {
    std::promise<void> entered;
    s.submit({}, [this, &entered](const result<commit>&) {
      entered.set_value();
      released_.get_future().wait();
    });
    entered.get_future().wait();
  }
  void release() { released_.set_value(); }

 private:
  std::promise<void> released_;
};

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

std::string big(char c) { return std::string(100000, c); }

}  // namespace

TEST_CASE("a reopened store goes on where it was", "[persistence][lmdb]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("deep/er/store"));
  o.sync = true;
  {
    const auto s = open(o);
    must(*s, put_of(config("a"), "1"));
    must(*s, put_of(config("a"), "2"));
    must(*s, put_of(config("b"), "b"));
    must(*s, erase_of(config("b")));
    batch ns = put_of({"namespaces", "", "ending"}, "ns");
    ns.puts.front().phase = namespace_phase::terminating;
    must(*s, ns);
    must(*s, put_of({"namespaces", "", "open"}, "ns"));
  }
  o.incarnation_seed = "must not be taken";
  const auto s = open(o);
  REQUIRE(s->incarnation_id() == "first-life");
  REQUIRE(s->window().current == revision{6});
  REQUIRE(body_of(*s, config("a")) == "2");
  REQUIRE(body_of(*s, config("a"), revision{1}) == "1");
  REQUIRE(body_of(*s, config("b")) == "-");
  REQUIRE(changes_after(*s, revision{2}).size() == 4);
  REQUIRE(code_of(*s, when(namespace_active{"ending"}, put_of(config("x"), "x"))) == errc::forbidden);
  REQUIRE(must(*s, when(namespace_active{"open"}, put_of(config("x"), "x"))).first == revision{7});
}

TEST_CASE("folder and files are for their owner alone", "[persistence][lmdb]") {
  temp_dir dir;
  const auto s = open(options_for(dir.sub("store")));
  REQUIRE(mode_of(dir.sub("store")) == 0700);
  for (const char* file : {"/data.mdb", "/lock.mdb", "/owner.lock", "/created"})
    REQUIRE((mode_of(dir.sub("store") + file) & 077) == 0);
}

TEST_CASE("a second opener of the same folder is told who has it", "[persistence][lmdb]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  const auto s = open(o);
  const auto second = open_lmdb_store(o);
  REQUIRE(second.err().code == errc::unavailable);
  REQUIRE(second.err().message.find(o.dir) != std::string::npos);
  REQUIRE(second.err().message.find("process " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("another process that holds the folder is named, and its death frees the folder", "[persistence][lmdb]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  { open(o); }
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = storage::store_lock::take(o.dir);
    const char told = lock.ok() ? 'y' : 'n';
    static_cast<void>(!::write(ready[1], &told, 1));
    for (;;) ::pause();
  }
  char told = 0;
  REQUIRE(::read(ready[0], &told, 1) == 1);
  REQUIRE(told == 'y');
  const auto refused = open_lmdb_store(o);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE(refused.err().message.find("process " + std::to_string(child)) != std::string::npos);
  REQUIRE(open_lmdb_store(o).ok());
}

TEST_CASE("what a killed process was told is committed is there afterwards", "[persistence][lmdb]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.sync = true;
  int acknowledged[2];
  REQUIRE(::pipe(acknowledged) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto s = open_lmdb_store(o);
    for (int i = 0; s.ok(); ++i) {
      if (commit_of(**s, put_of(config(std::to_string(i)), "x")).ok())
        static_cast<void>(!::write(acknowledged[1], &i, sizeof i));
    }
    ::_exit(1);
  }
  int last = -1;
  while (last < 50) REQUIRE(::read(acknowledged[0], &last, sizeof last) == sizeof last);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(acknowledged[1]);
  for (int i = 0; ::read(acknowledged[0], &i, sizeof i) == sizeof i;) last = i;
  ::close(acknowledged[0]);
  const auto s = open(o);
  for (int i = 0; i <= last; ++i) REQUIRE(body_of(*s, config(std::to_string(i))) == "x");
}

TEST_CASE("revisions that in-memory batches took are never given out again", "[persistence][lmdb]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  std::uint64_t last = 0;
  for (int life = 0; life < 4; ++life) {
    const auto s = open(o);
    REQUIRE(s->window().current >= revision{last});
    if (life == 0) must(*s, put_of(lease("c1"), "stored"));
    REQUIRE(body_of(*s, lease("c1")) == "stored");
    for (int i = 0; i < 5; ++i) {
      const commit c = must(*s, in_memory(put_of(lease("c1"), "renewed")));
      REQUIRE(c.first > revision{last});
      last = c.last.get();
    }
    REQUIRE(body_of(*s, lease("c1")) == "renewed");
    if (life == 2) last = must(*s, put_of(config("a"), "x")).last.get();
  }
}

TEST_CASE("in-memory versions beyond the bound are forgotten, the newest never", "[persistence][lmdb]") {
  temp_dir dir;
  const auto s = open(options_for(dir.sub("store")));
  must(*s, put_of(config("a"), "x"));
  std::promise<void> finished;
  constexpr int renewals = 17000;
  for (int i = 0; i < renewals; ++i)
    s->submit(in_memory(put_of(lease("c1"), std::to_string(i))), [&](const result<commit>& r) {
      if (r.ok() && r->last.get() == renewals + 1) finished.set_value();
    });
  finished.get_future().get();
  REQUIRE(body_of(*s, lease("c1")) == std::to_string(renewals - 1));
  REQUIRE(s->get(lease("c1"), revision{10}).err().code == errc::gone);
  REQUIRE(body_of(*s, config("a"), revision{10}) == "x");
  REQUIRE(s->list({"configmaps", "", ""}, revision{10}).ok());
  const auto changes = s->changes_since(revision{0}, 0);
  REQUIRE(changes.ok());
  REQUIRE(*changes->back().body == std::to_string(renewals - 1));
}

TEST_CASE("old history is compacted by itself", "[persistence][lmdb]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.history_max = 100;
  {
    const auto s = open(o);
    for (int i = 1; i <= 1000; ++i) must(*s, put_of(config(std::to_string(i % 7)), std::to_string(i)));
    const revision_window w = s->window();
    REQUIRE(w.current == revision{1000});
    REQUIRE(w.compacted.get() >= 860);
    REQUIRE(w.compacted.get() <= 900);
    REQUIRE(changes_after(*s, w.compacted).size() == 1000 - w.compacted.get());
    REQUIRE(s->list({"configmaps", "", ""}, w.compacted)->records.size() == 7);
  }
  const auto s = open(o);
  REQUIRE(s->window().compacted.get() >= 860);
  REQUIRE(s->list({"configmaps", "", ""})->records.size() == 7);
}

TEST_CASE("batches that queue during a commit are committed together, each judged after those before it",
          "[persistence][lmdb]") {
  temp_dir dir;
  const auto s = open(options_for(dir.sub("store")));
  recorder r;
  s->subscribe(&r);
  stalled_writer stall(*s);
  std::vector<std::string> outcomes;
  std::promise<void> finished;
  const auto note = [&](const std::string& name) {
    return [&, name](const result<commit>& c) {
      outcomes.push_back(name + " " + (c.ok() ? std::to_string(c->last.get()) : std::string(to_string(c.err().code))));
      if (name == "last") finished.set_value();
    };
  };
  s->submit(when(absent{config("a")}, put_of(config("a"), "1")), note("create"));
  s->submit(when(absent{config("a")}, put_of(config("a"), "2")), note("create again"));
  s->submit(when(at_revision{config("a"), revision{1}}, put_of(config("a"), "3")), note("update"));
  s->submit(in_memory(put_of(lease("c"), "v")), note("renew"));
  s->submit(when(present{lease("c")}, erase_of(config("a"))), note("erase"));
  s->submit(put_of({"namespaces", "", "n"}, ""), note("namespace"));
  s->submit(when(namespace_active{"n"}, put_of(config("b", "n"), "")), note("last"));
  stall.release();
  finished.get_future().get();
  s->unsubscribe(&r);
  REQUIRE(outcomes == std::vector<std::string>{"create 1", "create again already_exists", "update 2", "renew 3",
                                               "erase 4", "namespace 5", "last 6"});
  REQUIRE(r.calls == 1);
  REQUIRE(r.seen.size() == 6);
}

TEST_CASE("a full queue answers busy at once, and what that writer computed on it is discarded",
          "[persistence][lmdb]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.queue_max = 2;
  const auto s = open(o);
  stalled_writer stall(*s);
  std::atomic<int> committed{0};
  const auto count = [&](const result<commit>& r) { committed += r.ok() ? 1 : 0; };
  s->submit(from("actor", 1, put_of(config("a"), "1")), count);
  s->submit(from("actor", 1, put_of(config("b"), "1")), count);
  errc third{};
  s->submit(from("actor", 1, put_of(config("c"), "1")), [&](const result<commit>& r) { third = r.err().code; });
  REQUIRE(third == errc::busy);
  stall.release();
  REQUIRE(eventually([&] { return committed == 2; }));
  REQUIRE(code_of(*s, from("actor", 1, put_of(config("d"), "1"))) == errc::discarded);
  must(*s, from("actor", 2, put_of(config("d"), "1")));
}

TEST_CASE("what is queued when the store closes is committed", "[persistence][lmdb]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  std::atomic<int> committed{0};
  {
    const auto s = open(o);
    for (int i = 0; i < 500; ++i)
      s->submit(put_of(config(std::to_string(i)), "x"), [&](const result<commit>& r) { committed += r.ok() ? 1 : 0; });
  }
  REQUIRE(committed == 500);
  REQUIRE(open(o)->list({"configmaps", "", ""})->records.size() == 500);
}

TEST_CASE("over its quota the store refuses puts, allows erases and recovers by them", "[persistence][lmdb]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.quota_bytes = 2 << 20;
  const auto s = open(o);
  int stored = 0;
  for (; stored < 100; ++stored)
    if (!commit_of(*s, put_of(config(std::to_string(stored)), big('x'))).ok()) break;
  REQUIRE(stored > 10);
  REQUIRE(stored < 30);
  REQUIRE_FALSE(s->health().writable);
  REQUIRE(s->health().reason.find("quota") != std::string::npos);
  REQUIRE(s->health().reason.find(o.dir) != std::string::npos);
  REQUIRE(code_of(*s, put_of(config("small"), "x")) == errc::read_only);
  must(*s, in_memory(put_of(lease("c"), "renewed")));
  for (int i = 0; i < 5; ++i) must(*s, erase_of(config(std::to_string(i))));
  REQUIRE(s->health().writable);
  must(*s, put_of(config("small"), "x"));
}

TEST_CASE("history is dropped before the quota makes the store read-only", "[persistence][lmdb]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.quota_bytes = 2 << 20;
  const auto s = open(o);
  for (int i = 0; i < 100; ++i) must(*s, put_of(config("same"), big('x')));
  REQUIRE(s->health().writable);
  REQUIRE(s->window().compacted > revision{0});
}

TEST_CASE("unsubscribing waits until the listener is no longer called", "[persistence][lmdb]") {
  temp_dir dir;
  const auto s = open(options_for(dir.sub("store")));
  for (int i = 0; i < 200; ++i) {
    auto r = std::make_unique<recorder>();
    s->subscribe(r.get());
    s->submit(put_of(config("a"), std::to_string(i)), {});
    s->unsubscribe(r.get());
    r.reset();
  }
}

TEST_CASE("a store of a newer format is refused by name", "[persistence][lmdb]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  { open(o); }
  {
    auto env = storage::lmdb_env::open(o);
    auto txn = (*env)->begin_write();
    std::string newer;
    append_be64(newer, 99);
    REQUIRE(storage::lmdb_tables::open(**env, txn->get())->put_meta("format", newer).ok());
    REQUIRE((*env)->commit(*std::move(txn)).ok());
  }
  const auto refused = open_lmdb_store(o);
  REQUIRE(refused.err().code == errc::unsupported);
  REQUIRE(refused.err().message.find("99") != std::string::npos);
  REQUIRE(refused.err().message.find(o.dir) != std::string::npos);
}
