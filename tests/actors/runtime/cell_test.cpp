#include <catch2/catch.hpp>

#include "tests/actors/runtime/cell_fixture.hpp"

using namespace wh;
using namespace wh::test;
using words = cell_fixture::words;

TEST_CASE("a handler that writes nothing is released at once", "[cell]") {
  cell_fixture f;
  f.post("hello");
  CHECK(f.host.sent == words{"cluster done hello"});
  CHECK(f.host.submitted.empty());
}

TEST_CASE("sends wait until their batch is durable and then name its commit", "[cell]") {
  cell_fixture f;
  f.post("write a");
  REQUIRE(f.host.submitted.size() == 1);
  CHECK(f.host.sent.empty());
  f.succeed(7);
  CHECK(f.host.sent == words{"cluster done write a @7"});
}

TEST_CASE("handlers run on while earlier batches are in flight, and their sends keep the order", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("look");
  f.post("write b");
  f.post("look again");
  CHECK(f.seen_words == words{"(restore)", "write a", "look", "write b", "look again"});
  CHECK(f.host.submitted.size() == 2);
  CHECK(f.host.sent.empty());
  f.succeed(1);
  CHECK(f.host.sent == words{"cluster done write a @1", "cluster done look"});
  f.succeed(2);
  CHECK(f.host.sent.size() == 4);
  CHECK(f.host.sent.back() == "cluster done look again");
}

TEST_CASE("batches carry the actor's address and one incarnation per life", "[cell]") {
  cell_fixture f;
  f.post("write a");
  const auto first = f.host.submitted.front().second.from;
  CHECK(first.id == "work/w");
  f.refuse(errc::conflict);
  REQUIRE(f.host.submitted.size() == 1);
  CHECK(f.host.submitted.front().second.from.life > first.life);
}

TEST_CASE("an actor reads its own writes before they are durable", "[cell]") {
  cell_fixture f;
  f.durable.objects[key_of("old")] = {share("old"), revision{3}, false};
  f.durable.objects[key_of("gone")] = {share("gone"), revision{4}, false};
  std::vector<std::string> listed;
  f.also = [&](const message& m, const context& ctx, outbox& out) {
    if (word_of(m) == "write a") out.remove(key_of("gone"));
    if (word_of(m) != "look") return;
    const auto mine = ctx.data.read(key_of("a"));
    REQUIRE(mine);
    CHECK(mine->in_flight);
    CHECK(*mine->body == "write a");
    CHECK_FALSE(ctx.data.read(key_of("gone")));
    CHECK(ctx.data.read(key_of("old"))->rev == revision{3});
    for (const auto& r : ctx.data.list({.resource = "configmaps", .ns = {}, .name = {}})) listed.push_back(r.key.name);
    CHECK(ctx.data.list_namespace("default").size() == 2);
  };
  f.post("write a");
  f.post("look");
  CHECK(listed == words{"a", "old"});
}

TEST_CASE("a failed precondition drops the unit and all computed on it, reloads, and delivers them again", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("write b");
  f.post("look");
  f.refuse(errc::conflict);
  f.post("late");  // waits: the second batch is still at the store
  CHECK(f.seen_words.size() == 4);
  f.refuse(errc::discarded);
  CHECK(f.seen_words ==
        words{"(restore)", "write a", "write b", "look", "(restore)", "write a", "write b", "look", "late"});
  CHECK(f.host.sent.empty());
  CHECK(f.counters.reloads == 1);
  CHECK(f.counters.restarts == 0);
  CHECK(f.host.restarts_told == 1);
  f.succeed(1);
  f.succeed(2);
  CHECK(f.host.sent ==
        words{"cluster done write a @1", "cluster done write b @2", "cluster done look", "cluster done late"});
}

TEST_CASE("units that were durable before the failure are released", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("write b");
  f.succeed(1);
  f.refuse(errc::not_found);
  CHECK(f.host.sent == words{"cluster done write a @1"});
}

TEST_CASE("a message whose writes fail three times is dropped, those behind it are not", "[cell]") {
  cell_fixture f;
  f.post("write a");
  f.post("look");
  for (int i = 0; i < 3; ++i) f.refuse(errc::already_exists);
  CHECK(f.counters.dropped == 1);
  CHECK(f.counters.reloads == 3);
  CHECK(f.host.sent == words{"cluster done look"});
  CHECK(f.host.submitted.empty());
  CHECK(f.host.notes.size() == 1);
}

TEST_CASE("an admitted write whose own precondition failed is answered with the store's code", "[cell]") {
  cell_fixture f;
  f.durable.objects[key_of("mine")] = {share("there"), revision{9}, false};
  batch create;
  create.preconditions = {absent{key_of("mine")}, namespace_active{"default"}};
  f.admit(1, create);
  f.refuse(errc::already_exists);
  batch update;
  update.preconditions = {at_revision{key_of("mine"), revision{8}}};
  f.admit(2, update);
  f.refuse(errc::conflict);
  batch terminating;
  terminating.preconditions = {absent{key_of("other")}, namespace_active{"default"}};
  f.admit(3, terminating);
  f.refuse(errc::forbidden);
  REQUIRE(f.host.replies.size() == 3);
  CHECK(f.host.replies[0].failure->code == errc::already_exists);
  CHECK(f.host.replies[1].failure->code == errc::conflict);
  CHECK(f.host.replies[2].failure->code == errc::forbidden);
  CHECK(f.host.replies[2].id == request_id{3});
}

TEST_CASE("an admitted write that failed because of the actor's own precondition is a conflict", "[cell]") {
  cell_fixture f;
  batch create;
  create.preconditions = {absent{key_of("mine")}};
  create.puts = {put{key_of("mine"), share("body"), {}}};
  f.admit(1, create);
  f.admit(2, create);
  f.refuse(errc::already_exists);  // of something that the actor added to the batch
  f.refuse(errc::discarded);
  REQUIRE(f.host.replies.size() == 2);
  CHECK(f.host.replies[0].failure->code == errc::conflict);
  CHECK(f.host.replies[1].failure->code == errc::conflict);
  CHECK(f.seen_words.back() == "(restore)");
}

TEST_CASE("a message without a handler is counted, and a write is answered", "[cell]") {
  no_crypto crypto;
  map_reader durable;
  manual_host host;
  cell_environment env{.durable = durable, .crypto = crypto, .seed = 1, .lives = {}, .trace = {}};
  cell_counters counters;
  const address self = worker("w");
  cell subject(env, host, self, std::make_unique<scripted>(nullptr, nullptr), counters);
  subject.start();
  subject.deliver({self, port(), text("hello")}, 0ns);
  subject.deliver({self, {actor_kind::api, {}}, admit_write{}}, 0ns);
  CHECK(counters.unhandled == 2);
  REQUIRE(host.replies.size() == 1);
  CHECK(host.replies[0].failure->code == errc::internal);
}

TEST_CASE("a timer fires once, re-arming replaces it, cancelling removes it", "[cell]") {
  cell_fixture f;
  f.also = [](const message& m, const context&, outbox& out) {
    const auto word = word_of(m);
    if (word == "arm") out.wake("t", 10s);
    if (word == "arm both") out.wake("u", 1s), out.wake("t", 2s);
    if (word == "cancel") out.cancel("t");
  };
  f.post("arm");
  f.advance(6s);
  f.post("arm");
  f.advance(6s);
  CHECK(f.seen_words == words{"(restore)", "arm", "arm"});
  f.advance(4s);
  CHECK(f.seen_words.back() == "timer_fired");
  f.advance(1h);
  CHECK(f.seen_words.size() == 4);
  f.post("arm");
  f.post("cancel");
  f.advance(1h);
  CHECK(f.seen_words.back() == "cancel");
  f.post("arm both");
  f.advance(1h);
  CHECK(f.seen_words.size() == 9);
  CHECK(f.host.wakes.empty());
}

TEST_CASE("timers are armed when their unit is released and are lost with the state", "[cell]") {
  cell_fixture f;
  f.also = [](const message& m, const context&, outbox& out) {
    if (word_of(m).starts_with("write")) out.wake("t", 10s);
  };
  f.post("write a");
  CHECK(f.host.wakes.empty());
  f.succeed(1);
  CHECK(f.host.wakes.size() == 1);
  f.post("throw");
  f.advance(1h);
  CHECK(f.seen_words == words{"(restore)", "write a", "throw", "(restore)"});
}
