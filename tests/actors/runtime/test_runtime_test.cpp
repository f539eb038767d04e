#include "actors/runtime/test_runtime.hpp"

#include "tests/actors/runtime/runtime_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct seeded_bed final : testbed {
  explicit seeded_bed(runtime_options o, std::uint64_t seed = 1) : seeded(make_test_runtime(std::move(o), seed)) {}
  actor_runtime& runtime() override { return *seeded; }
  bool until(const std::function<bool()>& done) override {
    seeded->run_until_idle();
    for (int i = 0; i < 1000 && !done(); ++i) seeded->advance(10ms);
    return done();
  }
  std::unique_ptr<test_runtime> seeded;
};

template <class Check, class... Args>
void run(Check check, Args... args) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    node_fixture f;
    seeded_bed bed(f.options(), seed);
    check(f, bed, args...);
  }
}

template <class Check>
void run_with_small_mailboxes(Check check) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    node_fixture f;
    auto o = f.options();
    o.mailbox_max = 3;
    seeded_bed bed(std::move(o), seed);
    check(f, bed);
  }
}

}  // namespace

TEST_CASE("seeded: sends come in order and after their commit", "[runtime][seeded]") { run(check_order_and_commits); }
TEST_CASE("seeded: a failed precondition reloads the actor", "[runtime][seeded]") { run(check_reload); }
TEST_CASE("seeded: a throwing handler restarts its actor", "[runtime][seeded]") { run(check_throw); }
TEST_CASE("seeded: a repeat offender is quarantined", "[runtime][seeded]") { run(check_quarantine); }
TEST_CASE("seeded: writes wait for a full disk to recover", "[runtime][seeded]") { run(check_full_disk); }
TEST_CASE("seeded: timers fire", "[runtime][seeded]") { run(check_timer); }
TEST_CASE("seeded: actors are spawned on first use, unknown ones are refused", "[runtime][seeded]") {
  run(check_addresses);
}
TEST_CASE("seeded: a retired actor ends, and later mail begins a new life", "[runtime][seeded]") { run(check_retire); }
TEST_CASE("seeded: stop handles what is queued", "[runtime][seeded]") { run(check_stop); }

TEST_CASE("seeded: a shell that dies is replaced, and its actor restores itself", "[runtime][seeded]") {
  node_fixture f;
  seeded_bed bed(f.options());
  bed.post("a", "write x");
  bed.seeded->run_until_idle();
  REQUIRE(bed.seeded->kill(worker("a")));
  bed.post("a", "lost");
  bed.seeded->run_until_idle();
  const auto meanwhile = bed.runtime().post({worker("a"), port(), text("refused")});
  REQUIRE_FALSE(meanwhile.ok());
  CHECK(meanwhile.err().code == errc::unavailable);
  bed.seeded->advance(1s);
  CHECK(bed.of("a").restarts == 1);
  CHECK(bed.of("a").dropped == 1);
  CHECK(bed.of("a").depth == 0);
  CHECK(f.restarted.all() == std::vector<std::string>{"work/a"});
  bed.post("a", "write y");
  bed.seeded->run_until_idle();
  CHECK(f.answers.all().back() == "work/a did write y committed");
}

TEST_CASE("seeded: a mailbox merges, refuses and keeps by message type", "[runtime][seeded]") {
  run_with_small_mailboxes(check_mailbox_rules);
}
TEST_CASE("seeded: a full mailbox loses no mail between actors", "[runtime][seeded]") {
  run_with_small_mailboxes(check_actor_mail);
}

TEST_CASE("seeded: a shell that dies takes its coalesced mail along, and its replacement begins empty",
          "[runtime][seeded]") {
  node_fixture f;
  seeded_bed bed(f.options());
  const auto tell = [&](std::uint64_t rev) {
    CHECK(bed.runtime().post({worker("a"), port(), drifted{{"v1", "ConfigMap", "", "x"}, revision{rev}}}).ok());
  };
  bed.post("a", "look");
  bed.seeded->run_until_idle();
  REQUIRE(bed.seeded->kill(worker("a")));
  tell(1);
  bed.seeded->advance(1s);
  CHECK(bed.of("a").dropped == 1);
  tell(2);
  bed.seeded->run_until_idle();
  CHECK(f.answers.all().back() == "work/a did drifted");
  CHECK(bed.of("a").coalesced == 0);
}

TEST_CASE("seeded: time moves only when told", "[runtime][seeded]") {
  node_fixture f;
  seeded_bed bed(f.options());
  bed.post("a", "wake");
  bed.seeded->run_until_idle();
  const auto start = bed.seeded->now();
  bed.seeded->advance(19ms);
  CHECK_FALSE(f.answers.has("work/a did timer_fired"));
  bed.seeded->advance(1ms);
  CHECK(f.answers.has("work/a did timer_fired"));
  CHECK(bed.seeded->now() - start == 20ms);
}
