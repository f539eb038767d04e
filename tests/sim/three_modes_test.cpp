// The same scenario in the three modes: live (CAF, real threads), CAF's deterministic scheduler, virtual time.
//
// A live runtime has threads, so that "the same trace" needs saying. Time is held by the test in all three modes, and every
// input is followed until nothing happens any more before the next one comes. Then:
//
// - A *chain* has one message on its way at a time, and what an input posts to one actor at once lies in its mailbox before
//   that begins ("hold" keeps it). Equal must be: what each actor handled, in order, with contents and time; what each told
//   the port, in order, with commits; which actors restarted; the feed of the store, revision by revision.
// - A *crowd* has many senders at work at once, whose mail meets in a mailbox in any order. Equal must be what does not
//   depend on that order: which messages went from whom to whom and what the port was told about each, as sets that count;
//   in order where the sender's order is given, which is the test's own posts; the final store. Its actors compute what the
//   order of arrival cannot change.
#include "tests/sim/three_modes.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// The store and everything else around one run of a scenario.
struct scene : feed_listener {
  scene() { data->subscribe(this); }
  ~scene() override { data->unsubscribe(this); }
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;
  void on_committed(const std::vector<change>& changes) override {
    for (const auto& c : changes)
      if (with_feed)
        happened.add("feed", std::to_string(c.rev.get()) + " " + c.key.name + " = " + (c.body ? *c.body : "removed"));
  }

  std::unique_ptr<store> data = make_memory_store("store-1");
  no_crypto crypto;
  chronicle happened;
  std::atomic<bool> hold{false};
  bool with_feed = true;
  actor_runtime* runtime = nullptr;
};

constexpr int actors = 8;

// --- chains ----------------------------------------------------------------------------------------------------------

std::string hops_at(int hops, instant at) {
  return std::to_string(hops) + "@" + std::to_string(at.time_since_epoch().count());
}

/// Messages are "hold" or "<how many hops are left>@<when it was sent>".
void chain_handler(scene& s, const message& m, const context& ctx, outbox& out) {
  const bool timer = std::holds_alternative<timer_fired>(m);
  if (!timer && word_of(m) == "hold") {
    while (s.hold.load()) std::this_thread::yield();
    return;
  }
  const auto word = timer ? hops_at(1, ctx.now) : word_of(m);
  const int hops = std::stoi(word);
  // What waited for a restart is handled with all else that did: passed on, there would be several on their way.
  const bool in_time = word == hops_at(hops, ctx.now);
  if (ctx.random.chance(0.06)) throw std::runtime_error("bad luck");
  if (ctx.random.chance(0.6)) {
    // An object that is read while its own write is in flight has no revision yet: that batch will be refused.
    const auto key = key_of(ctx.random.chance(0.3) ? "shared" : ctx.self.name);
    const auto before = ctx.data.read(key);
    if (before) out.writes.preconditions.push_back(at_revision{key, before->rev});
    else out.writes.preconditions.push_back(absent{key});
    out.store(key, share(std::to_string(ctx.random.next())));
  }
  if (ctx.random.chance(0.2)) out.wake("tick", std::chrono::microseconds(1 + ctx.random.below(90'000)));
  // At the end of a chain only: whether mail that comes later finds the old life or begins a new one is a race elsewhere.
  const bool retires = hops == 0 && ctx.random.chance(0.3);
  out.send(port(), text((retires ? "retire " : "did ") + std::to_string(hops)));
  if (hops > 0 && in_time) out.send(worker(std::to_string(ctx.random.below(actors))), text(hops_at(hops - 1, ctx.now)));
}

runtime_options chain_options(scene& s, std::uint64_t seed) {
  runtime_options o;
  o.data = s.data.get();
  o.crypto = &s.crypto;
  o.seed = seed;
  o.now = [] { return instant{}; };
  o.factory = [&s](const address&) {
    return std::make_unique<scripted>(
        [](const context& ctx, outbox& out) {
          out.wake("tick", std::chrono::microseconds(1 + ctx.random.below(900'000)));
        },
        [&s](const message& m, const context& ctx, outbox& out) { chain_handler(s, m, ctx, out); });
  };
  o.trace = [&s](const envelope& e, instant at) {
    s.happened.add(to_string(e.to), std::to_string(at.time_since_epoch().count()) + " from " + to_string(e.from) + " " +
                                        word_of(e.body));
  };
  o.to_port = [&s](envelope e, const std::optional<commit>& under) {
    s.happened.add("port of " + to_string(e.from),
                   word_of(e.body) + (under ? " at " + std::to_string(under->last.get()) : ""));
    if (word_of(e.body).starts_with("retire")) s.runtime->retire(e.from);
  };
  o.restarted = [&s](const address& a) { s.happened.add(to_string(a), "restarted"); };
  return o;
}

story play_chains(which w, std::uint64_t seed) {
  scene s;
  {
    const auto m = make_mode(w, chain_options(s, seed), seed);
    s.runtime = &m->runtime();
    rng script(seed);
    for (int round = 0; round < 60; ++round) {
      const auto to = worker(std::to_string(script.below(actors)));
      if (script.chance(0.5)) {
        CHECK(m->runtime().post({to, port(), text(hops_at(static_cast<int>(script.below(7)), m->now()))}).ok());
      } else {
        s.hold = m->concurrent();
        CHECK(m->runtime().post({to, port(), text("hold")}).ok());
        for (auto i = script.below(5); i > 0; --i)
          CHECK(m->runtime().post({to, port(), text(hops_at(0, m->now()))}).ok());
        s.hold = false;
      }
      m->settle();
      m->advance(std::chrono::microseconds(1 + script.below(60'000)));
    }
    m->advance(15min);
    for (const auto& c : m->runtime().counters())
      s.happened.add("work counters", to_string(c.who) + " " + std::to_string(c.messages) + " " +
                                          std::to_string(c.dropped) + " " + std::to_string(c.restarts) + " " +
                                          std::to_string(c.reloads));
  }
  return s.happened.all();
}

// --- crowds ----------------------------------------------------------------------------------------------------------

// Messages are "<number>/<hops>"; what follows from one is decided by its words alone.

std::pair<std::uint64_t, int> numbers_of(const message& m) {
  const auto word = word_of(m);
  return {std::stoull(word), std::stoi(word.substr(word.find('/') + 1))};
}

/// Adds the number to what the actor has stored, and passes others on.
void crowd_handler(const message& m, const context& ctx, outbox& out) {
  const auto [number, hops] = numbers_of(m);
  if (number % 97 == 5) throw std::runtime_error("a number that nobody can bear");
  const auto key = key_of(ctx.self.name);
  const auto before = ctx.data.read(key);
  const auto sum = before ? std::stoull(*before->body) : 0;
  out.store(key, share(std::to_string(sum + number)));
  out.send(port(), text(to_string(ctx.from) + " " + word_of(m)));
  rng next(number * 31 + static_cast<std::uint64_t>(hops));
  for (auto fan = hops > 0 ? 1 + next.below(3) : 0; fan > 0; --fan)
    out.send(worker(std::to_string(next.below(actors))),
             text(std::to_string(next.below(100'000)) + "/" + std::to_string(hops - 1)));
}

runtime_options crowd_options(scene& s, std::uint64_t seed) {
  auto o = chain_options(s, seed);
  o.factory = [](const address&) { return std::make_unique<scripted>(nullptr, crowd_handler); };
  o.trace = [&s](const envelope& e, instant) {
    s.happened.add(to_string(e.from) + " to " + to_string(e.to), word_of(e.body));
  };
  o.to_port = [&s](envelope e, const std::optional<commit>&) {
    const auto word = word_of(e.body);
    s.happened.add("port of " + to_string(e.from) + " about " + word.substr(0, word.find(' ')), word);
  };
  o.restarted = nullptr;  // how many throws one restart answers depends on the order
  return o;
}

story play_crowds(which w, std::uint64_t seed) {
  scene s;
  s.with_feed = false;
  {
    const auto m = make_mode(w, crowd_options(s, seed), seed);
    rng script(seed);
    for (int round = 0; round < 12; ++round) {
      for (auto i = 2 + script.below(6); i > 0; --i) {
        const auto to = worker(std::to_string(script.below(actors)));
        CHECK(m->runtime().post({to, port(), text(std::to_string(script.below(100'000)) + "/4")}).ok());
      }
      m->settle();
      m->advance(2min);  // nobody is quarantined for what happened in different rounds
    }
  }
  const auto left = s.data->list({.resource = "configmaps", .ns = {}, .name = {}});
  REQUIRE(left.ok());
  for (const auto& r : left->records) s.happened.add("store", r.key.name + " = " + *r.body);
  auto told = s.happened.all();
  for (auto& [about, lines] : told)
    if (!about.starts_with(to_string(port()) + " to ") && !about.ends_with("about " + to_string(port())))
      std::sort(lines.begin(), lines.end());
  return told;
}

std::size_t count_lines(const story& s, const std::string& word) {
  std::size_t n = 0;
  for (const auto& [about, lines] : s)
    n += static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const auto& l) { return l.find(word) != std::string::npos; }));
  return n;
}

}  // namespace

TEST_CASE("live, CAF's deterministic mode and virtual time make the same run of a chain", "[modes]") {
  std::size_t restarts = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    INFO("seed " << seed);
    const auto expected = play_chains(which::virtual_time, seed);
    {
      INFO("seeded");
      require_equal(expected, play_chains(which::seeded, seed));
    }
    {
      INFO("live");
      require_equal(expected, play_chains(which::live, seed));
    }
    restarts += count_lines(expected, "restarted");
  }
  CHECK(restarts > 200);  // else the scenarios prove little
}

TEST_CASE("live, CAF's deterministic mode and virtual time agree on a crowd in all but the order of meeting",
          "[modes]") {
  std::size_t messages = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    INFO("seed " << seed);
    const auto expected = play_crowds(which::virtual_time, seed);
    require_equal(expected, play_crowds(which::seeded, seed));
    require_equal(expected, play_crowds(which::live, seed));
    messages += count_lines(expected, "/");
  }
  CHECK(messages > 10'000);
}
