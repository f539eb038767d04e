#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "actors/mailbox_rules.hpp"

/// Bounded mailboxes, the same for every runtime. Not thread-safe: whoever owns one says what guards it.
namespace wh {

/// Finds the waiting message that a newer one may be merged with. The messages rest elsewhere, at addresses that do not
/// change while they are listed here.
class coalescer {
 public:
  /// True: `newer` is in an older message now and need not be handled itself.
  bool merge(envelope& newer);
  /// `resting` waits, and is the last about its subject. Not coalesced: nothing happens.
  void add(envelope& resting);
  /// `resting` waits no more. To be called before it is changed or moved from.
  void remove(const envelope& resting);
  void clear() { last_.clear(); }

 private:
  std::unordered_map<std::string, envelope*> last_;  ///< by subject and sender
};

/// What the sender of a message that is not handled is told, where it waits for an answer.
std::optional<envelope> refusal_of(const envelope& e, error why);

/// Decides what comes into one actor's mailbox. Only coalesced messages rest here; in the runtime's own queue a number
/// stands for each of them, so that its place is kept and its content can still change. The others never touch this.
class mailbox {
 public:
  using number = std::uint64_t;
  enum class verdict : std::uint8_t {
    queue,         ///< the runtime queues the message itself
    queue_number,  ///< it rests here: the runtime queues its number
    merged,        ///< nothing to queue
    full,          ///< refused, and the message is left as it was
  };
  struct decision {
    verdict what = verdict::queue;
    number ticket = 0;
  };
  struct mail {
    envelope what;
    std::chrono::nanoseconds posted{};  ///< when the older of the merged messages came
  };

  /// A message arrives. `full` is asked only where the rule needs it. From an actor nothing is refused but what is
  /// answered: an actor cannot hold a message back, and what it passes on of the link has been counted by the link.
  template <class Full>
  decision arrive(envelope& e, std::chrono::nanoseconds now, bool from_actor, Full&& full) {
    switch (rule_of(e.body)) {
      case mailbox_rule::kept:
      case mailbox_rule::to_port: return {};
      case mailbox_rule::refused: return {full() ? verdict::full : verdict::queue};
      case mailbox_rule::pushes_back: return {!from_actor && full() ? verdict::full : verdict::queue};
      case mailbox_rule::coalesced: return coalesce(e, now);
    }
    return {};
  }
  /// The message behind a number, whose turn it is. Each number is asked for once.
  mail take(number ticket);
  /// Coalesced messages that wait.
  std::size_t resting() const { return resting_ ? resting_->mails.size() : 0; }
  /// The queue with the numbers is lost.
  void clear() { resting_.reset(); }

 private:
  /// Most actors never get a coalesced message, so this is made at the first.
  struct shelf {
    std::unordered_map<number, mail> mails;
    coalescer index;
    number last = 0;
  };
  decision coalesce(envelope& e, std::chrono::nanoseconds now);

  std::unique_ptr<shelf> resting_;
};

}  // namespace wh
