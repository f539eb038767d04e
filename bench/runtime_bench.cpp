// What the shell costs on top of bare CAF, and why the runtime runs on the `sharing` scheduler.
//
//   runtime_bench [messages] [actors]
//
// Each figure is one run on a warm process: compare figures of one invocation, not of two machines.
#include <malloc.h>

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

std::size_t heap_bytes() { return mallinfo2().uordblks; }

void report(const char* what, double value, const char* unit) { std::printf("%-58s %12.2f %s\n", what, value, unit); }

/// Wall time for the rate; processor time beside it, because that still compares when the machine is busy with others.
class stopwatch {
 public:
  void report_messages(const char* what, std::size_t n) const {
    const double wall = std::chrono::duration<double>(clock_type::now() - began_).count();
    const double cpu = static_cast<double>(std::clock() - cpu_) / CLOCKS_PER_SEC;
    const auto count = static_cast<double>(n);
    std::printf("%-58s %8.2f M messages/s %8.0f ns of processor each\n", what, count / wall / 1e6, cpu / count * 1e9);
  }

 private:
  clock_type::time_point began_ = clock_type::now();
  std::clock_t cpu_ = std::clock();
};

void wait_for(const std::atomic<std::size_t>& count, std::size_t target) {
  while (count.load(std::memory_order_relaxed) < target) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

/// Counts what it gets.
class counter final : public actor_logic {
 public:
  counter(std::atomic<std::size_t>& handled, bool writes) : handled_(handled), writes_(writes) {}
  void restart(const context&, outbox&) override {}
  bool handle(const message&, const context& ctx, outbox& out) override {
    if (writes_) out.store(test::key_of(ctx.self.name), body_);
    handled_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

 private:
  std::atomic<std::size_t>& handled_;
  bool writes_;
  shared_bytes body_ = share("body");
};

struct node {
  explicit node(runtime::scheduling how, bool writes = false) : runtime(options(writes), how) {}
  runtime_options options(bool writes) {
    runtime_options o;
    o.data = data.get();
    o.crypto = &crypto;
    o.factory = [this, writes](const address&) { return std::make_unique<counter>(handled, writes); };
    o.now = [] { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); };
    o.mailbox_max = std::size_t{1} << 30;
    return o;
  }
  void post(const address& to) { static_cast<void>(runtime.post({to, {}, resend_report{}})); }

  std::unique_ptr<store> data = make_memory_store("bench");
  test::no_crypto crypto;
  std::atomic<std::size_t> handled{0};
  runtime::caf_runtime runtime;
};

struct bare {
  explicit bare(const char* policy) {
    config.set("scheduler.policy", caf::atom_from_string(policy));
    config.set("scheduler.max-threads", std::size_t{2});
    system = std::make_unique<caf::actor_system>(config);
  }
  caf::actor spawn() {
    return system->spawn([this]() -> caf::behavior {
      return {[this](bare_message&) { handled.fetch_add(1, std::memory_order_relaxed); }};
    });
  }
  void post(const caf::actor& to) { caf::anon_send(to, bare_message{{{}, {}, resend_report{}}}); }

  caf::actor_system_config config;
  std::atomic<std::size_t> handled{0};
  std::unique_ptr<caf::actor_system> system;
};

std::vector<address> names(std::size_t n) {
  std::vector<address> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(test::worker("cluster-" + std::to_string(i)));
  return out;
}

void throughput(std::size_t messages) {
  constexpr std::size_t few = 64;
  {
    bare b("sharing");
    std::vector<caf::actor> to;
    for (std::size_t i = 0; i < few; ++i) to.push_back(b.spawn());
    const stopwatch watch;
    for (std::size_t i = 0; i < messages; ++i) b.post(to[i % few]);
    wait_for(b.handled, messages);
    watch.report_messages("bare CAF, sharing, 64 actors", messages);
    for (auto& a : to) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  }
  const auto to = names(few);
  for (const bool writes : {false, true}) {
    node n(runtime::scheduling::sharing, writes);
    const auto total = writes ? messages / 10 : messages;
    const stopwatch watch;
    for (std::size_t i = 0; i < total; ++i) n.post(to[i % few]);
    wait_for(n.handled, total);
    watch.report_messages(
        writes ? "shell, sharing, 64 actors, each message a batch (memory)" : "shell, sharing, 64 actors", total);
    n.runtime.stop(std::chrono::seconds(30));
  }
}

void fan_out(runtime::scheduling how, const char* what, std::size_t actors, std::size_t rounds) {
  node n(how);
  const auto to = names(actors);
  for (const auto& a : to) n.post(a);
  wait_for(n.handled, actors);
  const stopwatch watch;
  for (std::size_t r = 0; r < rounds; ++r)
    for (const auto& a : to) n.post(a);
  wait_for(n.handled, actors * (rounds + 1));
  watch.report_messages(what, actors * rounds);
}

void memory(std::size_t actors) {
  const auto to = names(actors);
  {
    bare b("sharing");
    std::vector<caf::actor> handles(actors);
    const auto before = heap_bytes();
    for (auto& h : handles) {
      h = b.spawn();
      b.post(h);
    }
    wait_for(b.handled, actors);
    report("bare CAF, one actor", static_cast<double>(heap_bytes() - before) / static_cast<double>(actors), "bytes");
    for (auto& h : handles) caf::anon_send_exit(h, caf::exit_reason::user_shutdown);
  }
  node n(runtime::scheduling::sharing);
  const auto before = heap_bytes();
  for (const auto& a : to) n.post(a);
  wait_for(n.handled, actors);
  report("shell and cell, one idle actor (directory included)",
         static_cast<double>(heap_bytes() - before) / static_cast<double>(actors), "bytes");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t messages = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t actors = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 30'000;
  memory(actors);
  throughput(messages);
  fan_out(runtime::scheduling::sharing, "fan-out, sharing", actors, 10);
  fan_out(runtime::scheduling::stealing, "fan-out, stealing", actors, 2);
}
