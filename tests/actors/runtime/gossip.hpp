#pragma once
#include "tests/actors/runtime/runtime_fixture.hpp"

namespace wh::test {

/// A random scenario: actors that write, conflict with themselves, throw, arm timers, retire and pass messages on, all
/// decided by their own generators. Runs on any single-threaded runtime; what happened is one line an event.
struct gossip {
  static constexpr int actors = 12;

  runtime_options options(std::uint64_t seed) {
    runtime_options o;
    o.data = data.get();
    o.crypto = &crypto;
    o.seed = seed;
    o.now = [] { return instant{}; };
    o.factory = [](const address& a) -> std::unique_ptr<actor_logic> {
      if (a.kind != actor_kind::work) return nullptr;
      return std::make_unique<scripted>(restore, handle);
    };
    o.trace = [this](const envelope& e, instant at) {
      events.push_back(std::to_string(at.time_since_epoch().count()) + " " + to_string(e.to) + "<-" +
                       to_string(e.from) + " " + word_of(e.body));
    };
    o.to_port = [this](envelope e, const std::optional<commit>& under) {
      events.push_back("port<-" + to_string(e.from) + " " + word_of(e.body) + " " +
                       (under ? std::to_string(under->last.get()) : "-"));
      if (word_of(e.body) == "done 3") subject->retire(e.from);
    };
    o.restarted = [this](const address& a) { events.push_back("restarted " + to_string(a)); };
    return o;
  }

  static void restore(const context& ctx, outbox& out) {
    out.wake("tick", std::chrono::milliseconds(1 + ctx.random.below(50)));
  }

  static void handle(const message& m, const context& ctx, outbox& out) {
    const int ttl = std::holds_alternative<timer_fired>(m) ? 2 : std::stoi(word_of(m));
    if (ctx.random.chance(0.03)) throw std::runtime_error("bad luck");
    if (ctx.random.chance(0.5)) {
      const auto key = key_of(ctx.random.chance(0.3) ? "shared" : ctx.self.name);
      const auto before = ctx.data.read(key);
      if (before) out.writes.preconditions.push_back(at_revision{key, before->rev});
      else out.writes.preconditions.push_back(absent{key});
      out.store(key, share(std::to_string(ctx.random.next())));
    }
    if (ctx.random.chance(0.2)) out.wake("tick", std::chrono::milliseconds(ctx.random.below(40)));
    const auto fan = ttl > 0 ? ctx.random.below(3) : 0;
    for (std::uint64_t i = 0; i < fan; ++i)
      out.send(worker(std::to_string(ctx.random.below(actors))), text(std::to_string(ttl - 1)));
    out.send(port(), text("done " + std::to_string(ttl)));
  }

  /// `advance` lets time pass.
  void play(actor_runtime& rt, std::uint64_t seed, const std::function<void(duration)>& advance) {
    subject = &rt;
    rng script(seed);
    for (int round = 0; round < 40; ++round) {
      for (std::uint64_t i = script.below(6); i > 0; --i)
        static_cast<void>(rt.post({worker(std::to_string(script.below(actors))), port(), text("6")}));
      advance(std::chrono::milliseconds(script.below(60)));
    }
    advance(std::chrono::minutes(2));
  }

  std::unique_ptr<store> data = make_memory_store("store-1");
  no_crypto crypto;
  actor_runtime* subject = nullptr;
  std::vector<std::string> events;
};

}  // namespace wh::test
