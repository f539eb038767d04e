#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "actors/cell.hpp"
#include "actors/runtime/runtime.hpp"

/// What every runtime needs to host cells on a store; no CAF here.
namespace wh {

/// Ports are addressed like actors, but the node itself handles their mail.
inline bool is_port(const address& a) { return a.kind >= actor_kind::session; }

/// The durable objects, for cells. A store that cannot be read is an exception here: handlers must never take it for
/// absence, and the cell knows what to do about it.
class store_reader final : public reader {
 public:
  store_reader(const store& data, const std::function<std::vector<std::string>()>& namespaced_resources)
      : data_(data), namespaced_resources_(namespaced_resources) {}

  std::optional<seen> read(const object_key& key) const override {
    auto found = taken(data_.get(key));
    if (!found) return std::nullopt;
    return seen{.body = std::move(found->body), .rev = found->rev, .in_flight = false};
  }

  std::vector<record> list(const key_range& range) const override { return taken(data_.list(range)).records; }

  std::vector<record> list_namespace(const std::string& ns) const override {
    std::vector<record> all;
    if (!namespaced_resources_) return all;
    for (auto& resource : namespaced_resources_()) {
      auto some = list({.resource = std::move(resource), .ns = ns, .name = {}});
      all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return all;
  }

  std::string store_incarnation() const override { return data_.incarnation_id(); }

 private:
  template <class T>
  static T taken(result<T> r) {
    if (!r.ok()) throw unreadable(r.err());
    return *std::move(r);
  }

  const store& data_;
  const std::function<std::vector<std::string>()>& namespaced_resources_;
};

/// Whether an actor has as much to do as it may: mail, what its cell keeps back, and units that wait for the store.
inline bool is_full(const cell_counters& c, std::size_t in_mailbox, std::size_t most) {
  return in_mailbox + c.waiting.load(std::memory_order_relaxed) + c.held.load(std::memory_order_relaxed) >= most;
}

inline error mailbox_full(const address& who) {
  return fail(errc::busy, "the mailbox of " + to_string(who) + " is full");
}

/// Incarnations count on from the store's revision, so that a runtime started later on the same store object is never
/// taken for a life that the store has already given up on.
inline std::uint64_t first_life(const store& data) { return data.window().current.get() << 20; }

/// Looking at a clock costs as much as a short handler, so that a busy runtime times one in this many messages of an actor.
inline constexpr std::uint64_t timed_every = 8;

/// Times are scaled from the messages that were timed to all.
inline actor_counters snapshot(const address& who, const cell_counters& c, std::uint32_t in_mailbox) {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto timed = std::max<std::uint64_t>(1, c.timed.load(relaxed));
  const auto scale = static_cast<double>(c.messages.load(relaxed)) / static_cast<double>(timed) / 1000;
  const auto micros = [scale](std::uint64_t nanos) {
    return static_cast<std::uint64_t>(static_cast<double>(nanos) * scale);
  };
  return {.who = who,
          .messages = c.messages.load(relaxed),
          .unhandled = c.unhandled.load(relaxed),
          .dropped = c.dropped.load(relaxed),
          .coalesced = c.coalesced.load(relaxed),
          .refused = c.refused.load(relaxed),
          .restarts = c.restarts.load(relaxed),
          .reloads = c.reloads.load(relaxed),
          .handler_micros = micros(c.handler_nanos.load(relaxed)) + c.restore_nanos.load(relaxed) / 1000,
          .mailbox_micros = micros(c.mailbox_nanos.load(relaxed)),
          .depth = in_mailbox + c.waiting.load(relaxed),
          .quarantined = c.quarantined.load(relaxed)};
}

}  // namespace wh
