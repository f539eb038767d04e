#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "messages/actor_messages.hpp"

/// The seam between actors and runtimes. An actor is a plain struct `State` with, beside it,
///   void restore(State&, const context&, outbox&);            // fills it from the store, at start and after a restart
///   void on(State&, const SomeMessage&, const context&, outbox&);  // one per message it understands
///   bool wants_to_retire(const State&);                       // optional: the last word before a retirement
/// It is handed everything it may know (context) and leaves everything it wants done in the outbox. The effects of one
/// handler are one unit, carried out in this order: persist the batch; when it is durable, release the sends in order;
/// then arm the timers. Units of one actor are released in the order of their handlers, write-free ones included.
namespace wh {

/// An object as an actor sees it.
struct seen {
  shared_bytes body;
  revision rev;            ///< meaningless while in_flight
  bool in_flight = false;  ///< one of this actor's own batches that is not durable yet
};

/// Reads durable data, and on top of it what this actor itself has written and not yet seen committed.
class reader {
 public:
  virtual ~reader() = default;
  virtual std::optional<seen> read(const object_key& key) const = 0;
  virtual std::vector<record> list(const key_range& range) const = 0;
  /// Every object of a namespace, whatever its kind.
  virtual std::vector<record> list_namespace(const std::string& ns) const = 0;
  virtual std::string store_incarnation() const = 0;
};

/// Keys and hashes; OpenSSL on a live node, a deterministic fake in the simulator.
class crypto_port {
 public:
  virtual ~crypto_port() = default;
  struct csr_facts {
    std::string common_name;
    std::vector<std::string> organizations;
    std::string key_sha256;
  };
  struct cert_facts {
    std::string common_name;
    std::string key_sha256;
    instant not_before, not_after;
  };
  virtual std::string sha256_hex(std::string_view bytes) const = 0;
  virtual bool equal_secret(std::string_view a, std::string_view b) const = 0;
  virtual result<std::string> new_key() = 0;
  virtual result<std::string> make_csr(const std::string& key_pem, const std::string& common_name,
                                       const std::vector<std::string>& organizations) = 0;
  virtual result<csr_facts> inspect_csr(const std::string& csr_pem) const = 0;
  virtual result<cert_facts> inspect_certificate(const std::string& cert_pem) const = 0;
  /// Signs a client certificate with the node's CA; fails on a node that has none.
  virtual result<std::string> sign_client(const std::string& csr_pem, instant not_before, instant not_after) = 0;
  virtual std::string ca_pem() const = 0;
};

/// What a handler is told; all it refers to outlives the handler, and no more.
struct context {
  instant now;
  const address& self;
  const address& from;
  rng& random;
  const reader& data;
  crypto_port& crypto;
};

enum class note_level : std::uint8_t { debug, info, warning, error };

/// A line for the node's log; `self` is added by the runtime.
struct note {
  note_level level = note_level::info;
  std::string text;
};

struct timer_request {
  std::string name;               ///< arming a name again replaces it
  std::optional<duration> after;  ///< none: cancel
};

/// What a handler wants done.
struct outbox {
  batch writes;
  struct send_item {
    address to;
    message body;
  };
  std::vector<send_item> sends;
  std::vector<timer_request> timers;
  std::vector<note> notes;

  void send(address to, message m) { sends.push_back({std::move(to), std::move(m)}); }
  void store(object_key key, shared_bytes body) { writes.puts.push_back({std::move(key), std::move(body), {}}); }
  void remove(object_key key) { writes.erases.push_back({std::move(key)}); }
  void wake(std::string name, duration after) { timers.push_back({std::move(name), after}); }
  void cancel(std::string name) { timers.push_back({std::move(name), std::nullopt}); }
  void log(note_level level, std::string text) { notes.push_back({level, std::move(text)}); }
};

/// A type-erased actor: what a runtime holds.
class actor_logic {
 public:
  virtual ~actor_logic() = default;
  virtual void restart(const context& ctx, outbox& out) = 0;
  /// False: this actor has no handler for the message (a bug of the sender; counted and logged).
  virtual bool handle(const message& m, const context& ctx, outbox& out) = 0;
  /// Asked when a retirement is due and nothing is in flight: false keeps the actor, because something came up meanwhile.
  virtual bool may_retire() const { return true; }
};

/// Binds a state struct; `State` must be copyable from its initial value, to start over after a restart.
template <class State>
class bound_actor final : public actor_logic {
 public:
  explicit bound_actor(State initial) : initial_(std::move(initial)), state_(initial_) {}
  void restart(const context& ctx, outbox& out) override {
    state_ = initial_;
    restore(state_, ctx, out);
  }
  bool handle(const message& m, const context& ctx, outbox& out) override {
    return std::visit(
        [&](const auto& body) {
          if constexpr (requires { on(state_, body, ctx, out); }) {
            on(state_, body, ctx, out);
            return true;
          } else {
            return false;
          }
        },
        m);
  }
  bool may_retire() const override {
    if constexpr (requires { wants_to_retire(state_); }) return wants_to_retire(state_);
    else return true;
  }
  const State& state() const { return state_; }

 private:
  State initial_;
  State state_;
};

/// Makes the actor of an address, or null when the address names none on this node.
using actor_factory = std::function<std::unique_ptr<actor_logic>(const address&)>;

}  // namespace wh
