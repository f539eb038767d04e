// What the shell costs on top of bare CAF, and why the runtime runs on the `sharing` scheduler.
//
//   runtime_bench [messages] [actors] [repetitions]
//
// Bare CAF is the yardstick: the same envelope, sent to actors by handle, with a handler that does as little. The shell
// finds its actors by address, keeps their counters and takes the time of each message. Both run in turns in one process,
// and the figure is the median over the repetitions: a rate says what this machine did, a ratio what the shell costs.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "actors/runtime/caf_runtime.hpp"
#include "tests/actors/runtime/test_actors.hpp"

namespace {

using namespace wh;
using clock_type = std::chrono::steady_clock;

struct bare_message {
  envelope what;
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bare_message)

namespace {

constexpr std::size_t few = 64;

std::size_t heap_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void report(const std::string& what, double value, const char* unit) {
  std::printf("%-62s %10.2f %s\n", what.c_str(), value, unit);
}

std::uint64_t nanos_now() { return static_cast<std::uint64_t>(clock_type::now().time_since_epoch().count()); }

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}
double median(const std::vector<double>& values) { return quantile(values, 0.5); }

/// What the benchmark's handlers do: count, and where asked note how long each message waited.
struct tally {
  std::atomic<std::size_t> handled{0};
  std::atomic<bool> timing{false};
  std::atomic<std::size_t> timed{0};
  std::vector<double> waits = std::vector<double>(std::size_t{1} << 20);  ///< microseconds

  void handle(const message& m) {
    if (timing.load(std::memory_order_relaxed)) {
      const auto at = timed.fetch_add(1, std::memory_order_relaxed);
      const auto waited = nanos_now() - std::get_if<cluster_reply>(&m)->id.get();
      if (at < waits.size()) waits[at] = static_cast<double>(waited) / 1e3;
    }
    handled.fetch_add(1, std::memory_order_release);
  }
  void wait_for(std::size_t target) const {
    while (handled.load(std::memory_order_acquire) < target)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
};

/// A message of a type that mailboxes keep, as works get them all day. It carries the time where that is measured.
message sample(bool timed) {
  return cluster_reply{.id = request_id{timed ? nanos_now() : 0}, .failure = {}, .body = {}, .resource = {}};
}

/// Something that messages can be pushed through.
struct subject {
  virtual ~subject() = default;
  virtual void post(std::size_t actor) = 0;
  tally counts;
};

struct node final : subject {
  class counter final : public actor_logic {
   public:
    counter(tally& counts, bool writes) : counts_(counts), writes_(writes) {}
    void restart(const context&, outbox&) override {}
    bool handle(const message& m, const context& ctx, outbox& out) override {
      if (writes_) out.store(test::key_of(ctx.self.name), body_);
      counts_.handle(m);
      return true;
    }

   private:
    tally& counts_;
    bool writes_;
    shared_bytes body_ = share("body");
  };

  node(runtime::scheduling how, std::size_t actors, bool writes = false) : runtime(options(writes), how) {
    for (std::size_t i = 0; i < actors; ++i) to.push_back(test::worker("cluster-" + std::to_string(i)));
  }
  runtime_options options(bool writes) {
    runtime_options o;
    o.data = data.get();
    o.crypto = &crypto;
    o.factory = [this, writes](const address&) { return std::make_unique<counter>(counts, writes); };
    o.now = [] { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); };
    return o;
  }
  void post(std::size_t actor) override {
    static_cast<void>(runtime.post({to[actor], {}, sample(counts.timing.load(std::memory_order_relaxed))}));
  }

  std::vector<address> to;
  std::unique_ptr<store> data = make_memory_store("bench");
  test::no_crypto crypto;
  runtime::caf_runtime runtime;
};

struct bare final : subject {
  bare(const char* policy, std::size_t actors) {
    config.set("scheduler.policy", caf::atom_from_string(policy));
    config.set("scheduler.max-threads", std::size_t{2});
    system = std::make_unique<caf::actor_system>(config);
    for (std::size_t i = 0; i < actors; ++i)
      to.push_back(system->spawn(
          [this]() -> caf::behavior { return {[this](bare_message& m) { counts.handle(m.what.body); }}; }));
    names = std::vector<address>(actors);
    for (std::size_t i = 0; i < actors; ++i) names[i] = test::worker("cluster-" + std::to_string(i));
  }
  ~bare() override {
    for (auto& a : to) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  }
  void post(std::size_t actor) override {
    caf::anon_send(to[actor], bare_message{{names[actor], {}, sample(counts.timing.load(std::memory_order_relaxed))}});
  }

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::vector<caf::actor> to;
  std::vector<address> names;
};

/// What one push of messages took.
struct cost {
  double wall_ns;  ///< a message
  double cpu_ns;   ///< a message, all threads together
};

cost push(subject& s, std::size_t messages, std::size_t actors) {
  const auto before = s.counts.handled.load();
  const auto began = clock_type::now();
  const auto cpu = std::clock();
  for (std::size_t i = 0; i < messages; ++i) s.post(i % actors);
  s.counts.wait_for(before + messages);
  const auto count = static_cast<double>(messages);
  return {std::chrono::duration<double, std::nano>(clock_type::now() - began).count() / count,
          static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC * 1e9 / count};
}

/// Costs of several subjects, taken in turns.
struct contest {
  struct entry {
    std::string name;
    subject* who;
    std::vector<double> wall{}, cpu{};
  };
  void run(std::size_t messages, std::size_t actors, int repetitions) {
    for (auto& e : entries) push(*e.who, actors, actors);  // everybody has been spawned
    for (int r = 0; r < repetitions; ++r)
      for (auto& e : entries) {
        const auto c = push(*e.who, messages, actors);
        e.wall.push_back(c.wall_ns);
        e.cpu.push_back(c.cpu_ns);
      }
    for (const auto& e : entries)
      std::printf("%-62s %10.2f M messages/s %7.0f ns of processor each\n", e.name.c_str(), 1e3 / median(e.wall),
                  median(e.cpu));
  }
  /// How entry `a` does against entry `b`, repetition by repetition: above 1 is better.
  void compare(const std::string& what, std::size_t a, std::size_t b) const {
    std::vector<double> wall, cpu;
    for (std::size_t i = 0; i < entries[a].wall.size(); ++i) {
      wall.push_back(entries[b].wall[i] / entries[a].wall[i]);
      cpu.push_back(entries[b].cpu[i] / entries[a].cpu[i]);
    }
    std::printf("%-62s %10.2f by messages/s, %.2f by processor time\n", what.c_str(), median(wall), median(cpu));
  }
  std::vector<entry> entries;
};

/// Time in the mailbox at a steady rate, in bursts as a link or a feed makes them.
void waiting(subject& s, const std::string& name, double rate) {
  constexpr std::size_t burst = 50;
  constexpr std::size_t messages = 200'000;
  s.counts.timed = 0;
  s.counts.timing = true;
  const auto before = s.counts.handled.load();
  const auto pause = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * burst / rate));
  auto next = clock_type::now();
  for (std::size_t i = 0; i < messages; i += burst, next += pause) {
    while (clock_type::now() < next) std::this_thread::yield();
    for (std::size_t j = 0; j < burst; ++j) s.post((i + j) % few);
  }
  s.counts.wait_for(before + messages);
  s.counts.timing = false;
  const std::vector<double> waits(s.counts.waits.begin(), s.counts.waits.begin() + messages);
  std::printf("%-62s %10.1f us median %10.1f us at 99 %%\n", name.c_str(), median(waits), quantile(waits, 0.99));
}

void throughput(std::size_t messages, int repetitions) {
  bare b("sharing", few);
  node n(runtime::scheduling::sharing, few);
  contest c{{{"bare CAF, sharing, 64 actors", &b}, {"shell, sharing, 64 actors", &n}}};
  c.run(messages, few, repetitions);
  c.compare("shell against bare CAF", 1, 0);
  for (const double rate : {100e3, 400e3}) {
    const auto load = ", " + std::to_string(static_cast<int>(rate / 1e3)) + " k messages/s";
    waiting(b, "time in mailbox, bare CAF" + load, rate);
    waiting(n, "time in mailbox, shell" + load, rate);
  }
}

void writes(std::size_t messages, int repetitions) {
  node n(runtime::scheduling::sharing, few, true);
  contest{{{"shell, sharing, each message a batch (memory store)", &n}}}.run(messages, few, repetitions);
}

void fan_out(std::size_t actors, int repetitions) {
  bare b("sharing", actors);
  node sharing(runtime::scheduling::sharing, actors);
  node stealing(runtime::scheduling::stealing, actors);
  const auto among = " fan-out to " + std::to_string(actors) + " actors";
  contest c{{{"bare CAF, sharing," + among, &b},
             {"shell, sharing," + among, &sharing},
             {"shell, stealing," + among, &stealing}}};
  c.run(3 * actors, actors, repetitions);
  c.compare("shell against bare CAF, fan-out", 1, 0);
  c.compare("sharing against stealing, fan-out", 1, 2);
}

template <class Make>
void memory(const std::string& what, std::size_t actors, Make make) {
  const auto before = heap_bytes();
  const auto s = make();
  for (std::size_t i = 0; i < actors; ++i) s->post(i);
  s->counts.wait_for(actors);
  // The names that the benchmark itself keeps, short enough to lie within their strings, are not the actors'.
  const auto bytes = heap_bytes() - before - actors * sizeof(address) - s->counts.waits.size() * sizeof(double);
  report(what, static_cast<double>(bytes) / static_cast<double>(actors), "bytes");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t messages = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 500'000;
  const std::size_t actors = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 30'000;
  const int repetitions = argc > 3 ? std::atoi(argv[3]) : 9;
  memory("bare CAF, one idle actor", actors, [=] { return std::make_unique<bare>("sharing", actors); });
  memory("shell and cell, one idle actor (directory included)", actors,
         [=] { return std::make_unique<node>(runtime::scheduling::sharing, actors); });
  throughput(messages, repetitions);
  writes(messages / 10, repetitions);
  fan_out(actors, repetitions);
}
