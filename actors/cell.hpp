#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "actors/mailbox.hpp"

/// What every runtime does alike for one actor. The cell turns handlers into units, keeps their order, survives failed
/// writes and throwing handlers; it knows neither threads nor clocks nor CAF. The runtime that hosts it brings messages,
/// outcomes and wake-ups, one at a time.
///
///   phase        messages     leaves it when                          for
///   running      are handled  a write fails                           settling
///                             a handler throws                        settling
///   settling     wait         every batch in flight is answered:
///                               a precondition had failed             running, reloaded from the store
///                               the environment had failed            resting, 1 s to 30 s
///                               a handler had thrown                  resting, 100 ms to 30 s
///                               the fifth throw within a minute       quarantined
///   resting      wait         the back-off is over                    running, restarted from the store
///   quarantined  are dropped  ten minutes are over                    running, restarted from the store
namespace wh {

/// Limits of the cell, the same for every actor.
namespace cell_limits {
inline constexpr int failures_max = 3;        ///< a message whose writes failed so often is dropped
inline constexpr std::size_t throws_max = 5;  ///< within throw_window: quarantine
inline constexpr std::chrono::minutes throw_window{1};
inline constexpr std::chrono::minutes quarantine{10};
inline constexpr std::chrono::milliseconds restart_delay_min{100};
inline constexpr std::chrono::seconds restart_delay_max{30};
inline constexpr std::chrono::seconds environment_delay_min{1};
inline constexpr std::chrono::seconds environment_delay_max{30};
}  // namespace cell_limits

/// Figures of one actor; any thread may read them.
struct cell_counters {
  using counter = std::atomic<std::uint64_t>;
  counter messages{0};
  counter unhandled{0};
  counter dropped{0};
  counter restarts{0};
  counter reloads{0};
  counter coalesced{0};      ///< merged with one that waited
  counter refused{0};        ///< by the runtime, because the mailbox was full
  counter timed{0};          ///< of `messages`: those whose times are in the two sums that follow
  counter handler_nanos{0};  ///< of timed messages
  counter mailbox_nanos{0};  ///< of timed messages
  counter restore_nanos{0};
  std::atomic<std::uint32_t> waiting{0};  ///< messages that the cell itself keeps back
  std::atomic<std::uint32_t> held{0};     ///< units that are not durable yet, or behind one that is not
  std::atomic<bool> quarantined{false};

  /// Only whoever runs the cell adds so: no other thread writes the counter, and a locked instruction costs a message more
  /// than all its other bookkeeping.
  static void add(counter& c, std::uint64_t n = 1) {
    c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  static void add_from_any_thread(counter& c) { c.fetch_add(1, std::memory_order_relaxed); }
};

/// Thrown by a runtime's reader when the store cannot be read: the actor must not take that for absence.
struct unreadable : std::runtime_error {
  explicit unreadable(error e) : std::runtime_error(e.message), cause(std::move(e)) {}
  error cause;
};

/// What all cells of a runtime share.
struct cell_environment {
  const reader& durable;  ///< throws `unreadable`
  crypto_port& crypto;
  std::uint64_t seed = 0;
  std::atomic<std::uint64_t> lives{0};  ///< the last incarnation given out; none is ever given twice
  std::function<void(const envelope&, instant)> trace;

  incarnation next_life() { return incarnation{lives.fetch_add(1, std::memory_order_relaxed) + 1}; }
};

/// What a cell asks of its runtime. None of these may call back into the cell before they return.
class cell_host {
 public:
  virtual ~cell_host() = default;
  /// The wall clock, for handlers.
  virtual instant now() const = 0;
  /// A clock that never jumps, for timers and figures.
  virtual std::chrono::nanoseconds ticks() const = 0;
  /// To the store. Its outcome comes back through cell::on_outcome, exactly once, in the order of submission.
  virtual void submit(batch b, std::uint64_t ticket) = 0;
  virtual void dispatch(envelope e, const std::optional<commit>& under) = 0;
  /// Calls cell::on_wake when that much time has passed.
  virtual void wake_after(duration after) = 0;
  virtual void log(const address& self, note n) = 0;
  /// The actor has lost its volatile state and runs again.
  virtual void restarted(const address& self) = 0;
};

/// One actor in its runtime. Not thread-safe: the runtime calls it from one thread at a time.
class cell {
 public:
  /// `self` and `counters` belong to the runtime and outlive the cell.
  cell(cell_environment& env, cell_host& host, const address& self, std::unique_ptr<actor_logic> logic,
       cell_counters& counters);

  /// Restores the actor from the store; called once, before anything else. Also begins a fresh life when a retired
  /// actor gets another message.
  void start();
  /// A message that came into the mailbox at `posted`, by the host's ticks; `untimed` where that is not of interest, which
  /// saves looking at the clock. Moved from only where it must be kept.
  void deliver(envelope&& e, std::chrono::nanoseconds posted);
  static constexpr std::chrono::nanoseconds untimed = std::chrono::nanoseconds::min();
  void on_outcome(std::uint64_t ticket, result<commit> outcome);
  void on_wake();

  /// Nothing in flight and nothing kept back: the actor can be retired.
  bool idle() const;
  bool may_retire() const { return logic_->may_retire(); }
  std::size_t in_flight() const { return in_flight_; }

 private:
  class overlay;

  struct delivery {
    envelope what;
    int failures = 0;
  };
  /// The message that a handler works on, where it lies; null: the restart itself.
  struct cause {
    envelope* what = nullptr;
    int failures = 0;
    delivery taken() const { return {std::move(*what), failures}; }
  };

  /// Everything that one handler wants done, until it is done.
  struct unit {
    std::uint64_t ticket = 0;      ///< 0: wrote nothing
    std::optional<commit> under;   ///< once durable
    std::optional<error> failure;  ///< once refused
    std::vector<put> puts;         ///< kept for the overlay
    std::vector<erase> erases;
    outbox effects;                  ///< without its writes
    std::optional<delivery> origin;  ///< none: the restart itself
    bool releasable() const { return ticket == 0 || under.has_value(); }
  };

  struct timer {
    std::string name;
    std::chrono::nanoseconds due;
    std::uint64_t number;  ///< order among timers due at once
  };

  /// Most actors never need it, so it is allocated at the first failure.
  struct trouble {
    std::list<delivery> waiting;
    coalescer index;  ///< of `waiting`
    bool threw = false;
    std::vector<std::chrono::nanoseconds> throws;  ///< within the last minute
    std::chrono::nanoseconds last_throw{};
    int throw_streak = 0;
    int environment_streak = 0;
    int restore_failures = 0;
    std::optional<error> environment;  ///< why it rests, if the environment failed
    std::chrono::nanoseconds rest_until{};
  };

  enum class phase : std::uint8_t { running, settling, resting, quarantined };

  // cell.cpp: the normal course
  template <class Handler>
  bool attempt(const address& from, const cause& of, std::chrono::nanoseconds began, cell_counters::counter& took,
               Handler&& handler);
  void run(const cause& of, std::chrono::nanoseconds began);
  void conclude(outbox& out, const cause& of);
  void release(outbox& effects, const std::optional<commit>& under);
  void release_ready();
  void arm(timer_request request);
  void wake_by(std::chrono::nanoseconds at);
  void fire_due_timers();
  void reject_unknown(const envelope& e);
  void count_held();

  // cell_recovery.cpp: when it goes wrong
  trouble& in_trouble();
  void keep_back(envelope&& e);
  void handler_threw(const cause& of, const std::string& what);
  void store_unreadable(const cause& of, error why);
  void settle();
  void recover();
  std::list<unit> take_lost();
  void give_back(std::list<unit> lost, bool environment);
  void reload();
  void rest_after_throw();
  void rest_until_writable(error why);
  void quarantine();
  void restart();
  void catch_up();
  void answer_failure(const envelope& e, error why);
  error admission_error(const admit_write& write, const error& failure) const;
  void drop(const envelope& e, error why);
  void log(note_level level, std::string text);
  void count_waiting();

  cell_environment& env_;
  cell_host& host_;
  const address& self_;
  cell_counters& counters_;
  std::unique_ptr<actor_logic> logic_;
  rng random_;
  incarnation life_;
  phase phase_ = phase::running;
  std::uint32_t in_flight_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t last_timer_ = 0;
  std::list<unit> held_;  ///< in the order of the handlers; the first is in flight or failed
  std::vector<timer> timers_;
  std::vector<std::chrono::nanoseconds> wakes_;  ///< asked of the host and not yet come
  std::unique_ptr<trouble> trouble_;
};

}  // namespace wh
