#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "actors/runtime/hosting.hpp"
#include "base/random.hpp"

/// Actors in virtual time: one thread, a clock that jumps from event to event, an order drawn from a seed. The same seed
/// and the same calls give the same run, on every machine.
namespace wh {

/// Time and order for everything in one simulation: runtimes of hub and spokes, networks, disks, scripts.
///
/// Whoever has something to do *now* is ready; ready participants take turns in an order drawn from the seed. When nobody
/// is ready, the next scheduled event runs, and when that is in the future, time jumps there.
class virtual_world {
 public:
  /// Something that takes turns, like an actor with mail.
  class participant {
   public:
    virtual ~participant() = default;
    /// One turn. True: it wants another one.
    virtual bool take_turn() = 0;
  };
  /// Names a scheduled event.
  using event_id = std::pair<instant, std::uint64_t>;

  explicit virtual_world(std::uint64_t seed, instant start = {});

  instant now() const { return now_; }
  /// For faults and delays. Separate from the order of turns, so that asking it does not change that order.
  rng& random() { return random_; }

  /// Runs `fn` when that much time has passed; events of one instant run in the order in which they were scheduled.
  event_id schedule(duration after, std::function<void()> fn);
  void cancel(const event_id& id) { events_.erase(id); }
  /// Puts a participant in line for a turn; it must not be in line already.
  void ready(std::shared_ptr<participant> p) { ready_.push_back(std::move(p)); }

  /// One turn, or one event that is due. False: nothing to do until time passes.
  bool step();
  /// Steps until nothing is to do at this instant.
  void run_until_idle();
  /// Jumps to the next event, when nothing is to do now. False: there is none.
  bool skip();
  /// Lets time pass, with everything that falls due on the way.
  void advance(duration d);
  /// Lets time pass until `done` holds, asked after every step; false when it does not within `limit`.
  bool advance_until(const std::function<bool()>& done, duration limit);

  /// Adds one line to the trace: `12.000345 hub:managed_cluster/c1<-session/3 spoke_frame`.
  void trace(std::string_view runtime, const envelope& e);
  /// Gets every line; null: none is wanted.
  void on_trace(std::function<void(const std::string&)> listener) { listener_ = std::move(listener); }
  /// FNV-1a over all lines so far: equal hashes, equal runs.
  std::uint64_t trace_hash() const { return hash_; }
  std::uint64_t trace_lines() const { return lines_; }

 private:
  instant start_;
  instant now_;
  rng order_;
  rng random_;
  std::deque<std::shared_ptr<participant>> ready_;
  std::map<event_id, std::function<void()>> events_;
  std::uint64_t scheduled_ = 0;
  std::function<void(const std::string&)> listener_;
  std::string line_;
  std::uint64_t hash_;
  std::uint64_t lines_ = 0;
};

/// How a virtual runtime treats its store.
struct virtual_options {
  std::string name;              ///< in traces, before the actor: `hub`
  duration commit_delay_max{};   ///< a batch reaches the store after 0 to this; until then a crash loses it
  duration outcome_delay_max{};  ///< the actor learns the outcome after 0 to this
  /// Carries out each send of an actor by calling `send`, or does not; empty: each is carried out.
  std::function<void(const envelope& what, const std::function<void()>& send)> around_send{};
};

/// One process' actors in a virtual world. `options.now`, `threads` and `mailbox_max` mean what they mean live, except
/// that time is the world's.
class virtual_runtime final : public actor_runtime {
 public:
  virtual_runtime(virtual_world& world, runtime_options options, virtual_options how = {});
  ~virtual_runtime() override;

  result<void> post(envelope e) override;
  void spawn(const address& a) override;
  void retire(const address& a) override;
  std::vector<actor_counters> counters() const override;
  std::size_t actors() const override { return actors_.size(); }
  void stop(duration grace) override;

  /// The process dies: actors, undelivered mail and batches that have not reached the store vanish. The store survives,
  /// and the next post or spawn begins anew.
  void crash();

  // the world's, for convenience
  bool step() { return world_.step(); }
  void run_until_idle() { world_.run_until_idle(); }
  void advance(duration d) { world_.advance(d); }
  instant now() const { return world_.now(); }

 private:
  class actor;
  std::shared_ptr<actor> reach(const address& a);
  result<void> deliver(envelope&& e, bool from_actor);
  void dispatch(envelope e, const std::optional<commit>& under);
  void send(envelope e, const std::optional<commit>& under);
  void submit(const std::shared_ptr<actor>& from, batch b, std::uint64_t ticket);
  duration wait_until(instant& not_before, duration most);
  bool quiet() const;

  virtual_world& world_;
  runtime_options options_;
  virtual_options how_;
  store_reader reader_;
  cell_environment environment_;
  std::map<address, std::shared_ptr<actor>> actors_;
  instant last_commit_{};   ///< batches reach the store in the order of submission
  instant last_outcome_{};  ///< and so do outcomes
  bool refusing_ = false;
};

}  // namespace wh
