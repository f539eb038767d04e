#pragma once
#include <atomic>
#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "actors/runtime/directory.hpp"

namespace wh::runtime {

/// How CAF schedules the shells.
enum class scheduling { sharing, stealing, deterministic };

}  // namespace wh::runtime

namespace wh {

/// An actor system; it ends when the last runtime on it has.
class live_threads {
 public:
  live_threads(unsigned threads, runtime::scheduling how);
  caf::actor_system& system() { return system_; }

 private:
  caf::actor_system_config config_;
  caf::actor_system system_;
};

}  // namespace wh

namespace wh::runtime {

/// Counts the CAF actors of one runtime. They hold it themselves, so that the last one can say that it is gone while the
/// runtime is being destroyed.
class head_count {
 public:
  void add();
  void remove();
  bool none() const;
  void wait_for_none() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::size_t alive_ = 0;
};

/// Where a runtime's timers come from when not from CAF's clock: a test holds a live node's time in its hand. Any thread.
class timer_source {
 public:
  virtual ~timer_source() = default;
  virtual std::chrono::nanoseconds ticks() const = 0;
  /// Calls `ring` once, when that much time has passed.
  virtual void after(duration d, std::function<void()> ring) = 0;
};

/// The runtime on CAF, the same for live nodes and for tests on CAF's deterministic scheduler.
///
/// Every address has one entry in the directory and one shell, a CAF actor, that hosts its cell. All mail to a shell
/// goes through its mailbox: envelopes, outcomes of the store, wake-ups. A shell that dies although nobody retired it
/// (an exception outside the actor's handlers, an exit signal) is replaced by the supervisor.
class caf_runtime final : public actor_runtime {
 public:
  caf_runtime(runtime_options options, scheduling how);
  caf_runtime(runtime_options options, std::shared_ptr<live_threads> threads);
  ~caf_runtime() override;
  caf_runtime(const caf_runtime&) = delete;
  caf_runtime& operator=(const caf_runtime&) = delete;

  result<void> post(envelope e) override;
  void spawn(const address& a) override;
  void retire(const address& a) override;
  std::vector<actor_counters> counters() const override;
  std::size_t actors() const override { return directory_.size(); }
  void stop(duration grace) override;

  // for the shells and the supervisor
  void dispatch(envelope e, const std::optional<commit>& under);
  void log(const address& self, note n) const;
  void respawn(const entry_ptr& e);
  const runtime_options& options() const { return options_; }
  /// A clock that never jumps.
  std::chrono::nanoseconds ticks() const { return timers_ ? timers_->ticks() : clock_.now().time_since_epoch(); }
  timer_source* timers() const { return timers_; }
  cell_environment& environment() { return environment_; }
  directory& entries() { return directory_; }

  /// The test scheduler has no threads: what stop() waits for must be run by the caller's own.
  void drive_with(std::function<void()> run_until_idle) { drive_ = std::move(run_until_idle); }
  void use_clock(std::function<instant()> now) { options_.now = std::move(now); }
  /// Before the first actor; `timers` outlives the runtime.
  void use_timers(timer_source& timers) { timers_ = &timers; }
  caf::actor_system& system() { return threads_->system(); }
  /// Nothing is queued and nothing is at the store, so that nothing happens until a timer falls due or somebody posts.
  bool settled() const;

 private:
  template <class Use>
  bool reach(const address& a, Use&& use);
  result<void> deliver(envelope&& e, bool from_actor);
  void start_shell(const entry_ptr& e, bool again);
  void on_shell_down(const entry_ptr& e, bool expected);
  bool quiet(std::uint64_t& handled) const;
  template <class Condition>
  void wait_for(std::chrono::steady_clock::time_point deadline, Condition condition);

  runtime_options options_;
  store_reader reader_;
  cell_environment environment_;
  directory directory_;
  std::function<void()> drive_;
  timer_source* timers_ = nullptr;
  std::atomic<bool> refusing_{false};  ///< no mail from outside any more
  std::atomic<bool> ending_{false};    ///< shells that end now are not replaced
  std::shared_ptr<head_count> shells_ = std::make_shared<head_count>();
  std::shared_ptr<head_count> supervisors_ = std::make_shared<head_count>();
  std::shared_ptr<live_threads> threads_;
  caf::actor_clock& clock_;  ///< the system's, which takes its time to find it
  caf::actor supervisor_;
};

}  // namespace wh::runtime
