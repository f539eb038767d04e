#include "tests/actors/runtime/runtime_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct live_bed final : testbed {
  explicit live_bed(runtime_options o) : live(make_live_runtime(std::move(o))) {}
  actor_runtime& runtime() override { return *live; }
  bool concurrent() const override { return true; }
  bool until(const std::function<bool()>& done) override {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!done() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    return done();
  }
  std::unique_ptr<actor_runtime> live;
};

template <class Check, class... Args>
void run(Check check, Args... args) {
  node_fixture f;
  live_bed bed(f.options());
  check(f, bed, args...);
}

template <class Check>
void run_with_small_mailboxes(Check check) {
  node_fixture f;
  auto o = f.options();
  o.mailbox_max = 3;
  live_bed bed(std::move(o));
  check(f, bed);
}

}  // namespace

TEST_CASE("live: sends come in order and after their commit", "[runtime][live]") { run(check_order_and_commits); }
TEST_CASE("live: a failed precondition reloads the actor", "[runtime][live]") { run(check_reload); }
TEST_CASE("live: a throwing handler restarts its actor", "[runtime][live]") { run(check_throw); }
TEST_CASE("live: a repeat offender is quarantined", "[runtime][live]") { run(check_quarantine); }
TEST_CASE("live: writes wait for a full disk to recover", "[runtime][live]") { run(check_full_disk); }
TEST_CASE("live: timers fire", "[runtime][live]") { run(check_timer); }
TEST_CASE("live: actors are spawned on first use, unknown ones are refused", "[runtime][live]") {
  run(check_addresses);
}
TEST_CASE("live: a retired actor ends, and later mail begins a new life", "[runtime][live]") { run(check_retire); }
TEST_CASE("live: stop handles what is queued", "[runtime][live]") { run(check_stop); }
TEST_CASE("live: ten thousand actors", "[runtime][live]") { run(check_fan_out, 10'000); }

TEST_CASE("live: a mailbox merges, refuses and keeps by message type", "[runtime][live]") {
  run_with_small_mailboxes(check_mailbox_rules);
}
TEST_CASE("live: a full mailbox loses no mail between actors", "[runtime][live]") {
  run_with_small_mailboxes(check_actor_mail);
}

TEST_CASE("live: news from many threads is merged, and the newest of each is seen", "[runtime][live]") {
  node_fixture f;
  std::atomic<std::uint64_t> newest[2] = {};
  std::atomic<int> seen_news{0};
  f.also = [&](const message& m, const context&, outbox&) {
    if (const auto* d = std::get_if<drifted>(&m)) {
      newest[d->object.name == "1"] = d->rev.get();
      ++seen_news;
    }
  };
  live_bed bed(f.options());
  constexpr std::uint64_t each = 2000;
  std::vector<std::thread> posters;
  for (int t = 0; t < 2; ++t)
    posters.emplace_back([&, t] {
      for (std::uint64_t i = 1; i <= each; ++i) {
        const auto posted = bed.runtime().post(
            {worker("a"), port(), drifted{{"v1", "ConfigMap", "default", std::to_string(t)}, revision{i}}});
        static_cast<void>(posted);
      }
    });
  for (auto& p : posters) p.join();
  REQUIRE(bed.until([&] { return newest[0] == each && newest[1] == each && bed.of("a").depth == 0; }));
  CHECK(bed.of("a").coalesced + static_cast<std::uint64_t>(seen_news) == 2 * each);
}

TEST_CASE("live: many threads post, and nothing is lost or reordered", "[runtime][live]") {
  node_fixture f;
  live_bed bed(f.options());
  constexpr int threads = 4;
  constexpr int each = 500;
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t)
    posters.emplace_back([&, t] {
      for (int i = 0; i < each; ++i)
        static_cast<void>(bed.runtime().post(
            {worker(std::to_string(t % 2)), port(), text(std::to_string(t) + "." + std::to_string(i))}));
    });
  for (auto& p : posters) p.join();
  REQUIRE(bed.until([&] { return f.answers.size() == threads * each + 2; }));
  std::map<char, int> next;
  for (const auto& line : f.answers.all()) {
    const auto at = line.find("did ");
    if (at == std::string::npos) continue;
    CHECK(std::stoi(line.substr(at + 6)) == next[line[at + 4]]++);
  }
}

TEST_CASE("live: a runtime that is destroyed with work under way neither hangs nor crashes", "[runtime][live]") {
  for (int round = 0; round < 20; ++round) {
    node_fixture f;
    live_bed bed(f.options());
    for (int i = 0; i < 200; ++i) bed.post(std::to_string(i % 20), i % 3 == 0 ? "wake" : "write x");
  }
}

TEST_CASE("live: runtimes on shared threads know nothing of each other and end one by one", "[runtime][live]") {
  constexpr int runtimes = 200;
  const auto threads = make_live_threads(2);
  std::vector<std::unique_ptr<node_fixture>> nodes;
  std::vector<std::unique_ptr<actor_runtime>> hosted;
  for (int i = 0; i < runtimes; ++i) {
    nodes.push_back(std::make_unique<node_fixture>());
    hosted.push_back(make_live_runtime_on(threads, nodes.back()->options()));
  }
  const auto post_all = [&](const std::string& word) {
    for (auto& each : hosted)
      if (each) CHECK(each->post({worker("a"), port(), text(word)}).ok());
  };
  const auto all_did = [&](const std::string& word) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    const auto done = [&](int i) {
      return !hosted[static_cast<std::size_t>(i)] ||
             nodes[static_cast<std::size_t>(i)]->answers.has("work/a did " + word);
    };
    for (int i = 0; i < runtimes; ++i)
      while (!done(i) && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    return std::chrono::steady_clock::now() < deadline;
  };
  post_all("write x");
  post_all("throw");
  for (std::size_t i = 0; i < runtimes; i += 2) {
    hosted[i].reset();
    nodes[i].reset();  // whatever still used it would be found by the sanitizers
  }
  post_all("look");
  REQUIRE(all_did("look"));
  for (std::size_t i = 1; i < runtimes; i += 2) {
    CHECK(nodes[i]->answers.has("work/a did write x committed"));
    CHECK(hosted[i]->counters().front().restarts == 1);
    hosted[i]->stop(1s);
  }
}
