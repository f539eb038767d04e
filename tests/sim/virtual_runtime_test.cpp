#include "sim/virtual_runtime.hpp"

#include "actors/runtime/test_runtime.hpp"
#include "tests/actors/runtime/gossip.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct virtual_bed final : testbed {
  explicit virtual_bed(runtime_options o, std::uint64_t seed = 1, virtual_options how = {})
      : world(seed), subject(world, std::move(o), std::move(how)) {}
  actor_runtime& runtime() override { return subject; }
  bool until(const std::function<bool()>& done) override { return world.advance_until(done, 1min); }
  virtual_world world;
  virtual_runtime subject;
};

/// Every check under several orders, without and with delays at the store.
template <class Check, class... Args>
void run(Check check, Args... args) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    node_fixture f;
    virtual_options how;
    if (seed % 2 == 0) how = {.name = "hub", .commit_delay_max = 5ms, .outcome_delay_max = 5ms};
    virtual_bed bed(f.options(), seed, how);
    check(f, bed, args...);
  }
}

template <class Check>
void run_with_small_mailboxes(Check check) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    node_fixture f;
    auto o = f.options();
    o.mailbox_max = 3;
    virtual_bed bed(std::move(o), seed);
    check(f, bed);
  }
}

struct played {
  std::vector<std::string> events;
  std::uint64_t hash = 0;
};

played play_virtual(std::uint64_t seed, virtual_options how = {}) {
  gossip g;
  virtual_world world(seed);
  virtual_runtime rt(world, g.options(seed), std::move(how));
  g.play(rt, seed, [&](duration d) { world.advance(d); });
  return {g.events, world.trace_hash()};
}

}  // namespace

TEST_CASE("virtual: sends come in order and after their commit", "[virtual]") { run(check_order_and_commits); }
TEST_CASE("virtual: a failed precondition reloads the actor", "[virtual]") { run(check_reload); }
TEST_CASE("virtual: a throwing handler restarts its actor", "[virtual]") { run(check_throw); }
TEST_CASE("virtual: a repeat offender is quarantined", "[virtual]") { run(check_quarantine); }
TEST_CASE("virtual: writes wait for a full disk to recover", "[virtual]") { run(check_full_disk); }
TEST_CASE("virtual: timers fire", "[virtual]") { run(check_timer); }
TEST_CASE("virtual: actors are spawned on first use, unknown ones are refused", "[virtual]") { run(check_addresses); }
TEST_CASE("virtual: a retired actor ends, and later mail begins a new life", "[virtual]") { run(check_retire); }
TEST_CASE("virtual: a mailbox merges, refuses and keeps by message type", "[virtual]") {
  run_with_small_mailboxes(check_mailbox_rules);
}
TEST_CASE("virtual: a full mailbox loses no mail between actors", "[virtual]") {
  run_with_small_mailboxes(check_actor_mail);
}
TEST_CASE("virtual: stop handles what is queued", "[virtual]") { run(check_stop); }
TEST_CASE("virtual: ten thousand actors", "[virtual]") {
  node_fixture f;
  virtual_bed bed(f.options());
  check_fan_out(f, bed, 10'000);
}

TEST_CASE("the world runs events in the order of time, then of scheduling", "[virtual]") {
  virtual_world world(1);
  std::string order;
  world.schedule(2ms, [&] { order += 'c'; });
  world.schedule(1ms, [&] { order += 'a'; });
  world.schedule(1ms, [&] { order += 'b'; });
  const auto cancelled = world.schedule(1ms, [&] { order += 'x'; });
  world.cancel(cancelled);
  world.run_until_idle();
  CHECK(order.empty());
  world.advance(1ms);
  CHECK(order == "ab");
  CHECK(world.skip());
  CHECK(world.step());
  CHECK(order == "abc");
  CHECK_FALSE(world.skip());
  CHECK(world.now() == instant{} + 2ms);
}

TEST_CASE("several runtimes share one world", "[virtual]") {
  node_fixture hub;
  node_fixture spoke;
  virtual_world world(3);
  virtual_runtime at_hub(world, hub.options(), {.name = "hub", .commit_delay_max = {}, .outcome_delay_max = {}});
  auto o = spoke.options();
  // What the spoke's actors tell their port reaches the hub a while later.
  o.to_port = [&](envelope e, const std::optional<commit>&) {
    world.schedule(3ms, [&, body = e.body] { CHECK(at_hub.post({worker("proxy"), port(), body}).ok()); });
  };
  virtual_runtime at_spoke(world, std::move(o), {.name = "spoke", .commit_delay_max = {}, .outcome_delay_max = {}});
  std::vector<std::string> seen_lines;
  world.on_trace([&](const std::string& line) { seen_lines.push_back(line); });
  CHECK(at_spoke.post({worker("a"), port(), text("write x")}).ok());
  world.advance(10ms);
  REQUIRE(seen_lines.size() == 3);
  CHECK(seen_lines[0] == "0.000000 spoke:work/a<-cluster dial_failed");
  CHECK(seen_lines[1] == "0.003000 hub:work/proxy<-cluster dial_failed");
  CHECK(world.trace_lines() == 3);
}

TEST_CASE("a crash loses actors, mail and batches under way, and nothing that was told", "[virtual]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    node_fixture f;
    virtual_bed bed(f.options(), seed, {.name = {}, .commit_delay_max = 10ms, .outcome_delay_max = 10ms});
    for (int i = 0; i < 20; ++i) bed.post(std::to_string(i % 4), "write " + std::to_string(i));
    bed.world.advance(std::chrono::milliseconds(seed % 12));
    bed.subject.crash();
    bed.world.advance(1s);
    CHECK(bed.subject.actors() == 0);
    int told = 0;
    for (int i = 0; i < 20; ++i) {
      const bool known =
          f.answers.has("work/" + std::to_string(i % 4) + " did write " + std::to_string(i) + " committed");
      told += known ? 1 : 0;
      if (known) CHECK(f.data.get(key_of(std::to_string(i)), {}).value());
    }
    CHECK(told < 20);
    bed.post("0", "write again");
    REQUIRE(bed.until([&] { return f.answers.has("work/0 did write again committed"); }));
  }
}

TEST_CASE("the same seed gives the same run, another seed another one", "[virtual]") {
  const virtual_options slow{.name = "n", .commit_delay_max = 20ms, .outcome_delay_max = 20ms};
  const auto first = play_virtual(11, slow);
  CHECK(first.events.size() > 1000);
  CHECK(play_virtual(11, slow).hash == first.hash);
  CHECK(play_virtual(11, slow).events == first.events);
  CHECK(play_virtual(12, slow).hash != first.hash);
}

TEST_CASE("CAF's deterministic mode and virtual time make the same run of the same seed", "[virtual]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    gossip g;
    auto caf = make_test_runtime(g.options(seed), seed);
    g.play(*caf, seed, [&](duration d) { caf->advance(d); });
    const auto expected = play_virtual(seed).events;
    INFO("seed " << seed);
    const auto differ = std::mismatch(g.events.begin(), g.events.end(), expected.begin(), expected.end());
    if (differ.first != g.events.end() && differ.second != expected.end())
      FAIL("event " << differ.first - g.events.begin() << ": CAF " << *differ.first << ", virtual " << *differ.second);
    REQUIRE(g.events.size() == expected.size());
    const auto restarts = std::count_if(expected.begin(), expected.end(),
                                        [](const std::string& e) { return e.starts_with("restarted"); });
    CHECK(restarts > 10);  // else the scenario proves little
  }
}
