#pragma once
#include <map>

#include "actors/runtime/caf_runtime.hpp"
#include "actors/runtime/test_runtime.hpp"
#include "sim/virtual_runtime.hpp"
#include "tests/actors/runtime/runtime_fixture.hpp"

/// The three modes of the runtime behind one interface, each with its time in the test's hand, and what happened in one.
namespace wh::test {

/// A live runtime's time, moved by the test.
class held_time final : public runtime::timer_source {
 public:
  std::chrono::nanoseconds ticks() const override {
    const std::lock_guard lock(mutex_);
    return now_.time_since_epoch();
  }
  void after(duration d, std::function<void()> ring) override {
    const std::lock_guard lock(mutex_);
    due_.emplace(std::pair(now_ + std::max(d, duration::zero()), ++armed_), std::move(ring));
  }
  instant now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  /// Moves to the next timer that is due by `limit` and rings it; false: there is none, and it is `limit` now.
  bool ring_next(instant limit) {
    std::function<void()> ring;
    {
      const std::lock_guard lock(mutex_);
      if (due_.empty() || due_.begin()->first.first > limit) {
        now_ = limit;
        return false;
      }
      now_ = std::max(now_, due_.begin()->first.first);
      ring = std::move(due_.begin()->second);
      due_.erase(due_.begin());
    }
    ring();
    return true;
  }

 private:
  mutable std::mutex mutex_;
  instant now_;
  std::map<std::pair<instant, std::uint64_t>, std::function<void()>> due_;
  std::uint64_t armed_ = 0;
};

/// One mode: a runtime, and how its time passes.
struct mode {
  virtual ~mode() = default;
  virtual actor_runtime& runtime() = 0;
  /// Until nothing happens at this time.
  virtual void settle() = 0;
  virtual void advance(duration d) = 0;
  virtual instant now() const = 0;
  virtual bool concurrent() const { return false; }
};

struct virtual_mode final : mode {
  virtual_mode(runtime_options o, std::uint64_t seed) : world(seed), subject(world, std::move(o)) {}
  actor_runtime& runtime() override { return subject; }
  void settle() override { world.run_until_idle(); }
  void advance(duration d) override { world.advance(d); }
  instant now() const override { return world.now(); }
  virtual_world world;
  virtual_runtime subject;
};

struct seeded_mode final : mode {
  seeded_mode(runtime_options o, std::uint64_t seed) : subject(make_test_runtime(std::move(o), seed)) {}
  actor_runtime& runtime() override { return *subject; }
  void settle() override { subject->run_until_idle(); }
  void advance(duration d) override { subject->advance(d); }
  instant now() const override { return subject->now(); }
  std::unique_ptr<test_runtime> subject;
};

struct live_mode final : mode {
  explicit live_mode(runtime_options o) : subject(on(std::move(o), time), runtime::scheduling::sharing) {
    subject.use_timers(time);
  }
  static runtime_options on(runtime_options o, const held_time& time) {
    o.now = [&time] { return time.now(); };
    o.threads = 4;
    return o;
  }
  actor_runtime& runtime() override { return subject; }
  /// With the timers that are due at this very time, as the other modes have it.
  void settle() override {
    do wait_settled();
    while (time.ring_next(time.now()));
  }
  void wait_settled() {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!subject.settled() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    REQUIRE(subject.settled());
  }
  void advance(duration d) override {
    const auto until = time.now() + d;
    settle();
    while (time.ring_next(until)) settle();
  }
  instant now() const override { return time.now(); }
  bool concurrent() const override { return true; }
  held_time time;
  runtime::caf_runtime subject;
};

enum class which { live, seeded, virtual_time };

inline std::unique_ptr<mode> make_mode(which w, runtime_options o, std::uint64_t seed) {
  if (w == which::live) return std::make_unique<live_mode>(std::move(o));
  if (w == which::seeded) return std::make_unique<seeded_mode>(std::move(o), seed);
  return std::make_unique<virtual_mode>(std::move(o), seed);
}

using story = std::map<std::string, std::vector<std::string>>;

/// What happened, by who it happened to; lines may come from any thread.
class chronicle {
 public:
  void add(const std::string& about, std::string line) {
    const std::lock_guard lock(mutex_);
    story_[about].push_back(std::move(line));
  }
  story all() const {
    const std::lock_guard lock(mutex_);
    return story_;
  }

 private:
  mutable std::mutex mutex_;
  story story_;
};

inline void require_equal(const story& expected, const story& actual) {
  for (const auto& [about, lines] : expected) {
    INFO(about);
    const auto found = actual.find(about);
    REQUIRE(found != actual.end());
    const auto differ = std::mismatch(lines.begin(), lines.end(), found->second.begin(), found->second.end());
    if (differ.first != lines.end() || differ.second != found->second.end())
      FAIL("line " << differ.first - lines.begin() << ": expected "
                   << (differ.first == lines.end() ? "nothing" : *differ.first) << ", got "
                   << (differ.second == found->second.end() ? "nothing" : *differ.second));
  }
  REQUIRE(expected.size() == actual.size());
}

}  // namespace wh::test
