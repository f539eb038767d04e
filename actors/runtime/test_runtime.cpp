#include "actors/runtime/test_runtime.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include "actors/runtime/caf_runtime.hpp"

namespace wh {

namespace {

using caf::scheduler::test_coordinator;

class seeded_runtime final : public test_runtime {
 public:
  seeded_runtime(runtime_options options, std::uint64_t seed)
      : start_(options.now ? options.now() : instant{}),
        order_(seed),
        runtime_(std::move(options), runtime::scheduling::deterministic),
        scheduler_(dynamic_cast<test_coordinator&>(runtime_.system().scheduler())),
        zero_(scheduler_.clock().now()) {
    runtime_.use_clock([this] { return now(); });
    runtime_.drive_with([this] { run_until_idle(); });
  }

  // While all that running the actors needs is still there.
  ~seeded_runtime() override { runtime_.stop(duration::zero()); }

  result<void> post(envelope e) override { return runtime_.post(std::move(e)); }
  void spawn(const address& a) override { runtime_.spawn(a); }
  void retire(const address& a) override { runtime_.retire(a); }
  std::vector<actor_counters> counters() const override { return runtime_.counters(); }
  std::size_t actors() const override { return runtime_.actors(); }
  void stop(duration grace) override { runtime_.stop(grace); }

  bool step() override {
    auto& jobs = scheduler_.jobs;
    if (jobs.empty()) return next_due() <= scheduler_.clock().now() && scheduler_.trigger_timeout();
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(order_.below(jobs.size()));
    std::rotate(jobs.begin(), chosen, chosen + 1);
    scheduler_.run_once();
    return true;
  }

  void run_until_idle() override {
    while (step()) {
    }
  }

  void advance(duration d) override {
    const auto until = scheduler_.clock().now() + d;
    run_until_idle();
    while (next_due() <= until) {
      scheduler_.trigger_timeout();
      run_until_idle();
    }
    scheduler_.clock().current_time = until;
  }

  instant now() const override {
    return start_ + std::chrono::duration_cast<duration>(scheduler_.clock().now() - zero_);
  }

  bool kill(const address& a) override {
    return runtime_.entries().with(
        a, [](const runtime::entry_ptr& e) { caf::anon_send_exit(e->shell, caf::exit_reason::kill); });
  }

 private:
  caf::actor_clock::time_point next_due() const {
    const auto& timers = scheduler_.clock().schedule();
    return timers.empty() ? caf::actor_clock::time_point::max() : timers.begin()->first;
  }

  instant start_;
  rng order_;
  runtime::caf_runtime runtime_;
  test_coordinator& scheduler_;
  caf::actor_clock::time_point zero_;
};

}  // namespace

std::unique_ptr<test_runtime> make_test_runtime(runtime_options options, std::uint64_t seed) {
  return std::make_unique<seeded_runtime>(std::move(options), seed);
}

}  // namespace wh
