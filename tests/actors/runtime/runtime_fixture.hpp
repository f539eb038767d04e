#pragma once
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "actors/runtime/runtime.hpp"
#include "tests/actors/runtime/test_actors.hpp"

namespace wh::test {

using namespace std::chrono_literals;

/// The memory store, refusing writes for as long as the test says so.
class moody_store final : public store {
 public:
  std::atomic<bool> full{false};
  void submit(batch b, completion done) override {
    if (full) return done(fail(errc::read_only, "the disk is full"));
    inner_->submit(std::move(b), std::move(done));
  }
  result<std::optional<record>> get(const object_key& key, revision at) const override { return inner_->get(key, at); }
  result<page> list(const key_range& range, revision at, const std::optional<object_key>& after,
                    std::size_t limit) const override {
    return inner_->list(range, at, after, limit);
  }
  result<std::vector<change>> changes_since(revision after, std::size_t limit) const override {
    return inner_->changes_since(after, limit);
  }
  revision_window window() const override { return inner_->window(); }
  revision subscribe(feed_listener* listener) override { return inner_->subscribe(listener); }
  void unsubscribe(feed_listener* listener) override { inner_->unsubscribe(listener); }
  void compact(revision upto) override { inner_->compact(upto); }
  std::string incarnation_id() const override { return inner_->incarnation_id(); }
  store_health health() const override { return inner_->health(); }
  store_figures figures() const override { return inner_->figures(); }

 private:
  std::unique_ptr<store> inner_ = make_memory_store("store-1");
};

/// Lines from any thread.
class lines {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return lines_.size();
  }
  bool has(const std::string& line) const {
    const std::lock_guard lock(mutex_);
    return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Everything around a runtime. Its actors do what messages say: "write x", "throw", "wake", "clash" (a write whose
/// precondition fails the first time), "pass x" (to the actor x); each answers the port with what it did.
struct node_fixture {
  node_fixture() = default;
  node_fixture(const node_fixture&) = delete;
  node_fixture& operator=(const node_fixture&) = delete;

  runtime_options options() {
    runtime_options o;
    o.data = &data;
    o.crypto = &crypto;
    o.factory = [this](const address& a) { return make(a); };
    o.now = [] { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); };
    o.seed = 7;
    o.to_port = [this](envelope e, const std::optional<commit>& under) {
      answers.add(to_string(e.from) + " " + word_of(e.body) + (under ? " committed" : ""));
    };
    o.restarted = [this](const address& a) { restarted.add(to_string(a)); };
    o.log = [this](const address& a, const note& n) { log.add(to_string(a) + ": " + n.text); };
    return o;
  }

  std::unique_ptr<actor_logic> make(const address& a) {
    if (a.kind != actor_kind::work) return nullptr;
    return std::make_unique<scripted>(
        [](const context& ctx, outbox& out) { out.send(port(), text("restored " + ctx.self.name)); },
        [this](const message& m, const context& ctx, outbox& out) { handle(m, ctx, out); });
  }

  void handle(const message& m, const context& ctx, outbox& out) {
    const auto word = word_of(m);
    if (word == "throw") throw std::runtime_error("as asked");
    if (word == "wait")
      while (hold.load()) std::this_thread::yield();
    if (word == "wake") out.wake("t", 20ms);
    if (word == "flood b")
      for (int i = 0; i < 5; ++i) {
        out.send(worker("b"), admit_write{});
        out.send(worker("b"), text("hello"));
      }
    if (word.starts_with("write ")) out.store(key_of(word.substr(6)), share(word));
    if (word.starts_with("pass ")) out.send(worker(word.substr(5)), text("hello"));
    if (word == "clash") {
      if (clashes.fetch_sub(1) > 0) out.writes.preconditions.push_back(present{key_of("nowhere")});
      out.store(key_of("clash"), share("clash"));
    }
    out.send(port(), text("did " + word));
    if (also) also(m, ctx, out);
  }

  moody_store data;
  no_crypto crypto;
  lines answers;  ///< at the port
  lines restarted;
  lines log;
  std::atomic<int> clashes{1};
  std::atomic<bool> hold{false};
  scripted::handler_fn also;
};

/// A runtime of some kind with its way of letting things happen.
struct testbed {
  virtual ~testbed() = default;
  virtual actor_runtime& runtime() = 0;
  /// Lets things happen until `done` or for a good while.
  virtual bool until(const std::function<bool()>& done) = 0;
  /// Whether actors go on while the test posts, so that "wait" must hold them; else they wait for until().
  virtual bool concurrent() const { return false; }
  void post(const std::string& to, const std::string& word) {
    CHECK(runtime().post({worker(to), port(), text(word)}).ok());
  }
  actor_counters of(const std::string& name) {
    for (auto& c : runtime().counters())
      if (c.who == worker(name)) return c;
    return {};
  }
};

// What holds in every runtime. Each check gets a fresh fixture and testbed.

inline void check_order_and_commits(node_fixture& f, testbed& bed) {
  bed.post("a", "write x");
  bed.post("a", "look");
  bed.post("a", "write y");
  REQUIRE(bed.until([&] { return f.answers.size() == 4; }));
  CHECK(f.answers.all() == std::vector<std::string>{"work/a restored a", "work/a did write x committed",
                                                    "work/a did look", "work/a did write y committed"});
  CHECK(f.data.get(key_of("y"), {}).value());
  CHECK(bed.of("a").messages == 3);
  CHECK(bed.of("a").depth == 0);
  CHECK(bed.runtime().actors() == 1);
}

inline void check_reload(node_fixture& f, testbed& bed) {
  bed.post("a", "clash");
  bed.post("a", "look");
  REQUIRE(bed.until([&] { return f.answers.has("work/a did clash committed") && f.answers.has("work/a did look"); }));
  CHECK(bed.of("a").reloads == 1);
  CHECK(bed.of("a").dropped == 0);
  CHECK(f.restarted.all() == std::vector<std::string>{"work/a"});
}

inline void check_throw(node_fixture& f, testbed& bed) {
  bed.post("a", "write x");
  bed.post("a", "throw");
  bed.post("a", "look");
  REQUIRE(bed.until([&] { return f.answers.has("work/a did look"); }));
  CHECK(f.answers.all()[1] == "work/a did write x committed");
  CHECK(bed.of("a").restarts == 1);
  CHECK(bed.of("a").dropped == 1);
}

inline void check_quarantine(node_fixture& f, testbed& bed) {
  for (int i = 0; i < 5; ++i) bed.post("a", "throw");
  REQUIRE(bed.until([&] { return bed.of("a").quarantined; }));
  bed.post("a", "look");
  bed.post("b", "look");
  REQUIRE(bed.until([&] { return bed.of("a").dropped == 6 && f.answers.has("work/b did look"); }));
  CHECK_FALSE(f.answers.has("work/a did look"));
}

/// To be run with mailboxes of three.
inline void check_mailbox_rules(node_fixture& f, testbed& bed) {
  lines changes;
  f.also = [&](const message& m, const context&, outbox&) {
    if (const auto* c = std::get_if<object_changed>(&m))
      changes.add(c->what.key.name + ": " + (c->what.previous ? *c->what.previous : "") + " to " + *c->what.body);
  };
  const auto change = [&](const std::string& name, const std::string& previous, const std::string& body) {
    return bed.runtime().post(
        {worker("a"),
         {},
         object_changed{
             {.key = key_of(name), .rev = {}, .body = share(body), .previous = share(previous), .previous_rev = {}}}});
  };
  f.hold = bed.concurrent();
  bed.post("a", "wait");
  CHECK(change("x", "0", "1").ok());
  CHECK(change("y", "0", "1").ok());
  const auto refused = bed.runtime().post({worker("a"), port(), admit_write{}});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.err().code == errc::busy);
  CHECK(change("x", "1", "2").ok());
  CHECK(change("x", "2", "3").ok());
  bed.post("a", "look");  // of the kind that every mailbox keeps
  CHECK(bed.of("a").depth == 4);
  CHECK(bed.of("a").coalesced == 2);
  CHECK(bed.of("a").refused == 1);
  f.hold = false;
  REQUIRE(bed.until([&] { return f.answers.has("work/a did look") && bed.of("a").depth == 0; }));
  CHECK(changes.all() == std::vector<std::string>{"x: 0 to 3", "y: 0 to 1"});
  CHECK(bed.runtime().post({worker("a"), port(), admit_write{}}).ok());
}

/// To be run with mailboxes of three.
inline void check_actor_mail(node_fixture& f, testbed& bed) {
  std::atomic<int> refusals{0};
  f.also = [&](const message& m, const context&, outbox&) {
    const auto* reply = std::get_if<admit_reply>(&m);
    if (reply && reply->failure && reply->failure->code == errc::busy) ++refusals;
  };
  const auto count = [&](const char* line) {
    const auto all = f.answers.all();
    return std::count(all.begin(), all.end(), line);
  };
  f.hold = bed.concurrent();
  bed.post("b", "wait");
  bed.post("a", "flood b");
  if (bed.concurrent()) REQUIRE(bed.until([&] { return f.answers.has("work/a did flood b"); }));
  f.hold = false;
  REQUIRE(bed.until([&] { return count("work/b did hello") == 5; }));
  REQUIRE(bed.until([&] { return count("work/b did admit_write") + refusals == 5; }));
  CHECK(refusals >= 2);
  CHECK(bed.of("b").refused == static_cast<std::uint64_t>(refusals.load()));
}

inline void check_full_disk(node_fixture& f, testbed& bed) {
  f.data.full = true;
  bed.post("a", "write x");
  bed.post("a", "look");
  REQUIRE(bed.until([&] { return bed.of("a").depth == 1 || bed.of("a").depth == 2; }));
  f.data.full = false;
  REQUIRE(bed.until([&] { return f.answers.has("work/a did write x committed") && f.answers.has("work/a did look"); }));
  CHECK(bed.of("a").reloads == 0);
  CHECK(bed.of("a").restarts == 0);
}

inline void check_timer(node_fixture& f, testbed& bed) {
  bed.post("a", "wake");
  REQUIRE(bed.until([&] { return f.answers.has("work/a did timer_fired"); }));
}

inline void check_addresses(node_fixture& f, testbed& bed) {
  const auto nobody = bed.runtime().post({{actor_kind::gatekeeper, {}}, port(), text("hello")});
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.err().code == errc::not_found);
  bed.post("a", "pass b");
  REQUIRE(bed.until([&] { return f.answers.has("work/b did hello"); }));
  bed.runtime().spawn(worker("c"));
  REQUIRE(bed.until([&] { return f.answers.has("work/c restored c"); }));
  CHECK(bed.runtime().counters().size() == 3);
}

inline void check_retire(node_fixture& f, testbed& bed) {
  bed.post("a", "write x");
  bed.runtime().retire(worker("a"));
  REQUIRE(bed.until([&] { return bed.runtime().actors() == 0; }));
  CHECK(f.answers.all().back() == "work/a did write x committed");
  bed.post("a", "look");
  REQUIRE(bed.until([&] { return f.answers.has("work/a did look"); }));
  bed.runtime().retire(worker("a"));
  bed.post("a", "write y");  // behind the request: a new life
  REQUIRE(bed.until([&] { return f.answers.has("work/a did write y committed"); }));
}

inline void check_fan_out(node_fixture& f, testbed& bed, int actors) {
  for (int i = 0; i < actors; ++i) bed.post(std::to_string(i), i % 10 == 0 ? "write " + std::to_string(i) : "look");
  REQUIRE(bed.until([&] { return f.answers.size() == static_cast<std::size_t>(actors) * 2; }));
  CHECK(bed.runtime().actors() == static_cast<std::size_t>(actors));
  CHECK(f.data.window().current.get() == static_cast<std::uint64_t>(actors) / 10);
}

inline void check_stop(node_fixture& f, testbed& bed) {
  for (int i = 0; i < 100; ++i) bed.post("a", "write " + std::to_string(i));
  bed.post("a", "pass b");
  bed.runtime().stop(5s);
  CHECK(f.answers.has("work/a did write 99 committed"));
  CHECK(f.answers.has("work/b did hello"));
  const auto late = bed.runtime().post({worker("a"), port(), text("late")});
  REQUIRE_FALSE(late.ok());
  CHECK(late.err().code == errc::unavailable);
}

}  // namespace wh::test
