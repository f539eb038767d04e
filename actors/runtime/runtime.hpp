#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "persistence/store.hpp"

namespace wh {

/// Per-actor figures, kept by the runtime for every actor alike.
struct actor_counters {
  address who;
  std::uint64_t messages = 0;
  std::uint64_t unhandled = 0;
  std::uint64_t dropped = 0;         ///< messages whose handler threw, or that a quarantined actor got
  std::uint64_t coalesced = 0;       ///< messages that were merged with one that waited
  std::uint64_t refused = 0;         ///< because the mailbox was full
  std::uint64_t restarts = 0;        ///< after a throw
  std::uint64_t reloads = 0;         ///< after a failed precondition
  std::uint64_t handler_micros = 0;  ///< live: estimated from every eighth message
  std::uint64_t mailbox_micros = 0;  ///< time that messages waited; live: estimated likewise
  std::uint32_t depth = 0;           ///< messages waiting now
  bool quarantined = false;
};

/// What a runtime needs of its node. Everything referenced must outlive it.
struct runtime_options {
  store* data = nullptr;
  crypto_port* crypto = nullptr;
  actor_factory factory;
  std::function<instant()> now;
  std::uint64_t seed = 0;
  unsigned threads = 2;
  std::size_t mailbox_max = 100'000;  ///< messages per actor; what happens beyond: actors/mailbox_rules.hpp
  /// Envelopes to ports (kinds from 40 on). `under`: the commit that released it, if its unit wrote. Any thread; must not block.
  std::function<void(envelope, const std::optional<commit>& under)> to_port;
  /// The namespaced resources of the node's kinds, for reader::list_namespace.
  std::function<std::vector<std::string>()> namespaced_resources;
  /// The actor lost its volatile state (throw or failed precondition) and has restarted from the store: the node closes
  /// the sessions that spoke to it, so that both sides sync anew.
  std::function<void(const address&)> restarted;
  std::function<void(const address&, note)> log;
  /// Every message as its handler begins, deliveries after a reload included. For tests and the simulator; any thread.
  std::function<void(const envelope&, instant)> trace;
};

/// Runs actors. One implementation lives on CAF (this folder), one in virtual time (sim/).
class actor_runtime {
 public:
  virtual ~actor_runtime() = default;
  /// Delivers to an actor (spawned on first use) or port. Any thread. errc::busy: its mailbox is full, and the message's
  /// rule is to be refused or to push back then; others are never refused for that. errc::not_found: the factory knows no
  /// such actor. errc::unavailable: the actor's shell has died and is about to be replaced, or the node is stopping.
  virtual result<void> post(envelope e) = 0;
  /// Makes sure that the actor runs (restores itself, arms its timers).
  virtual void spawn(const address& a) = 0;
  /// Ends an actor after what it has received.
  virtual void retire(const address& a) = 0;
  virtual std::vector<actor_counters> counters() const = 0;
  virtual std::size_t actors() const = 0;
  /// Handles what is queued, waits for commits under way, then ends every actor. At most `grace`.
  virtual void stop(duration grace) = 0;
};

/// On CAF's `sharing` scheduler, with `options.threads` threads of its own.
std::unique_ptr<actor_runtime> make_live_runtime(runtime_options options);

/// Threads that run actors, for many runtimes at once: a simulator's fake spokes cannot have threads of their own.
class live_threads;
std::shared_ptr<live_threads> make_live_threads(unsigned threads);
/// As make_live_runtime(), on shared threads; `options.threads` says nothing then.
std::unique_ptr<actor_runtime> make_live_runtime_on(std::shared_ptr<live_threads> threads, runtime_options options);

}  // namespace wh
