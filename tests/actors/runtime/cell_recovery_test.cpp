#include <catch2/catch.hpp>

#include "tests/actors/runtime/cell_fixture.hpp"

using namespace wh;
using namespace wh::test;
using words = cell_fixture::words;

TEST_CASE("a throwing handler costs its message; the actor restarts after a back-off while others wait", "[cell]") {
  cell_fixture f;
  f.post("throw");
  f.post("later");
  CHECK(f.seen_words == words{"(restore)", "throw"});
  CHECK(f.counters.waiting == 1);
  f.advance(99ms);
  CHECK(f.seen_words.size() == 2);
  f.advance(1ms);
  CHECK(f.seen_words == words{"(restore)", "throw", "(restore)", "later"});
  CHECK(f.counters.waiting == 0);
  CHECK(f.counters.dropped == 1);
  CHECK(f.counters.restarts == 1);
  CHECK(f.host.restarts_told == 1);
}

TEST_CASE("the back-off doubles with each throw and is forgotten after a good minute", "[cell]") {
  cell_fixture f;
  f.post("throw");
  f.advance(100ms);
  f.post("throw");
  f.advance(199ms);
  CHECK(f.counters.restarts == 1);
  f.advance(1ms);
  CHECK(f.counters.restarts == 2);
  f.advance(61s);
  f.post("throw");
  f.advance(100ms);
  CHECK(f.counters.restarts == 3);
}

TEST_CASE("a restart waits for batches in flight, and releases what became durable", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("look");
  f.post("throw");
  f.advance(10s);
  CHECK(f.seen_words.size() == 4);
  f.succeed(5);
  CHECK(f.host.sent == words{"cluster done write a @5", "cluster done look"});
  f.advance(100ms);
  CHECK(f.seen_words.back() == "(restore)");
}

TEST_CASE("a throw behind a failed batch delivers the dropped messages again, but not the one that threw", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("throw");
  f.refuse(errc::conflict);
  f.advance(100ms);
  CHECK(f.seen_words == words{"(restore)", "write a", "throw", "(restore)", "write a"});
}

TEST_CASE("the fifth throw within a minute quarantines the actor for ten minutes", "[cell]") {
  cell_fixture f;
  for (int i = 0; i < 5; ++i) {
    f.post("throw");
    if (i < 4) f.advance(1s);
  }
  CHECK(f.counters.quarantined);
  f.post("ignored");
  f.admit(1, {});
  CHECK(f.counters.dropped == 7);
  REQUIRE(f.host.replies.size() == 1);
  CHECK(f.host.replies[0].failure->code == errc::unavailable);
  CHECK(f.host.replies[0].failure->message.find("work/w") != std::string::npos);
  f.advance(599s);
  CHECK(f.counters.quarantined);
  f.advance(1s);
  CHECK_FALSE(f.counters.quarantined);
  f.post("again");
  CHECK(f.seen_words.back() == "again");
  CHECK(f.counters.restarts == 5);
}

TEST_CASE("a restore that throws is tried again with back-off", "[cell]") {
  int bad = 2;
  cell_fixture f([&](const context&, outbox&) {
    if (bad-- > 0) throw std::runtime_error("not yet");
  });
  f.post("hello");
  CHECK(f.host.sent.empty());
  f.advance(300ms);
  CHECK(f.host.sent == words{"cluster done hello"});
  CHECK(f.counters.dropped == 0);
}

TEST_CASE("a restore whose writes keep failing backs off like one that throws", "[cell]") {
  cell_fixture f([](const context&, outbox& out) { out.store(key_of("a"), share("restored")); });
  for (int i = 0; i < 3; ++i) f.refuse(errc::conflict);
  CHECK(f.host.submitted.empty());
  f.advance(100ms);
  CHECK(f.host.submitted.size() == 1);
  f.succeed(1);
  f.post("hello");
  CHECK(f.host.sent == words{"cluster done hello"});
}

TEST_CASE("a store that cannot write makes the actor wait and try again, without blame", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("look");
  f.refuse(errc::read_only);
  CHECK(f.host.sent.empty());
  CHECK(f.seen_words.size() == 3);
  f.advance(999ms);
  CHECK(f.host.submitted.empty());
  f.advance(1ms);
  REQUIRE(f.host.submitted.size() == 1);
  f.refuse(errc::io);
  f.advance(1s);
  CHECK(f.host.submitted.empty());
  f.advance(1s);
  REQUIRE(f.host.submitted.size() == 1);
  f.succeed(3);
  CHECK(f.host.sent == words{"cluster done write a @3", "cluster done look"});
  CHECK(f.counters.restarts == 0);
  CHECK(f.counters.reloads == 0);
  CHECK(f.counters.dropped == 0);
  CHECK_FALSE(f.counters.quarantined);
}

TEST_CASE("admitted writes are answered with the store's failure at once", "[cell]") {
  cell_fixture f;
  batch b;
  b.puts = {put{key_of("mine"), share("body"), {}}};
  f.admit(1, b);
  f.refuse(errc::read_only);
  f.admit(2, b);
  REQUIRE(f.host.replies.size() == 2);
  CHECK(f.host.replies[0].failure->code == errc::read_only);
  CHECK(f.host.replies[1].failure->code == errc::read_only);
  f.advance(1s);
  f.admit(3, b);
  f.succeed(1);
  REQUIRE(f.host.replies.size() == 3);
  CHECK_FALSE(f.host.replies[2].failure);
}

TEST_CASE("a store that cannot be read is not taken for absence", "[cell]") {
  cell_fixture f;
  f.also = [](const message& m, const context& ctx, outbox&) {
    if (word_of(m) == "look") static_cast<void>(ctx.data.read(key_of("a")));
  };
  f.durable.broken = fail(errc::io, "bad disk");
  f.post("look");
  f.post("later");
  CHECK(f.host.sent.empty());
  f.durable.broken.reset();
  f.advance(1s);
  CHECK(f.host.sent == words{"cluster done look", "cluster done later"});
  CHECK(f.counters.dropped == 0);
}

TEST_CASE("a timer whose handler cannot read the store is lost with the state that asked for it", "[cell]") {
  cell_fixture f;
  f.also = [](const message& m, const context& ctx, outbox& out) {
    if (word_of(m) == "arm") out.wake("t", 1s);
    if (word_of(m) == "timer_fired") static_cast<void>(ctx.data.read(key_of("a")));
  };
  f.post("arm");
  f.durable.broken = fail(errc::io, "bad disk");
  f.advance(1s);
  CHECK(f.seen_words.back() == "timer_fired");
  f.durable.broken.reset();
  f.advance(1min);
  CHECK(f.seen_words == words{"(restore)", "arm", "timer_fired", "(restore)"});
}

TEST_CASE("what an actor in trouble keeps back is coalesced as in its mailbox", "[cell]") {
  cell_fixture f;
  std::vector<std::uint64_t> revisions;
  f.also = [&](const message& m, const context&, outbox&) {
    if (const auto* news = std::get_if<drifted>(&m)) revisions.push_back(news->rev.get());
  };
  const auto tell = [&](const char* name, std::uint64_t rev) {
    f.subject.deliver({f.self, port(), drifted{{"v1", "ConfigMap", "default", name}, revision{rev}}}, f.host.time);
  };
  f.post("throw");
  for (std::uint64_t rev = 1; rev <= 1000; ++rev) tell(rev % 2 ? "x" : "y", rev);
  CHECK(f.counters.waiting == 2);
  CHECK(f.counters.coalesced == 998);
  f.advance(100ms);
  CHECK(revisions == std::vector<std::uint64_t>{999, 1000});
  tell("x", 1001);  // nothing waits that it could be merged with
  CHECK(revisions.back() == 1001);
}

TEST_CASE("units that wait for the store are counted, because they fill the mailbox too", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("look");
  f.post("write b");
  CHECK(f.counters.held == 3);
  f.succeed(1);
  CHECK(f.counters.held == 1);
  f.refuse(errc::conflict);
  CHECK(f.counters.held == 1);  // computed again
  f.succeed(2);
  CHECK(f.counters.held == 0);
}

TEST_CASE("an admitted write whose handler throws is answered", "[cell]") {
  cell_fixture f;
  f.also = [](const message&, const context&, outbox&) { throw 42; };
  f.admit(1, {});
  REQUIRE(f.host.replies.size() == 1);
  CHECK(f.host.replies[0].failure->code == errc::internal);
}

TEST_CASE("random numbers differ between lives of one address", "[cell]") {
  std::vector<std::uint64_t> drawn;
  cell_environment* shared = nullptr;
  cell_fixture f;
  shared = &f.env;
  f.also = [&](const message&, const context& ctx, outbox&) { drawn.push_back(ctx.random.next()); };
  f.post("draw");
  cell_counters counters;
  cell second(*shared, f.host, f.self,
              std::make_unique<scripted>(
                  nullptr, [&](const message&, const context& ctx, outbox&) { drawn.push_back(ctx.random.next()); }),
              counters);
  second.start();
  second.deliver({f.self, port(), text("draw")}, 0ns);
  REQUIRE(drawn.size() == 2);
  CHECK(drawn[0] != drawn[1]);
}

TEST_CASE("a timer that falls due while the actor settles asks for no more wake-ups", "[cell]") {
  cell_fixture f;
  f.also = [](const message& m, const context&, outbox& out) {
    if (word_of(m) == "arm") out.wake("t", 1s);
  };
  f.post("arm");
  f.post("write a");
  f.post("throw");
  f.advance(2s);
  CHECK(f.host.wakes.empty());
  CHECK(f.seen_words.back() == "throw");
}
