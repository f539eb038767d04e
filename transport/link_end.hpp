#pragma once
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "messages/actor_messages.hpp"
#include "transport/net.hpp"
#include "transport/session.hpp"

namespace wh {

/// How long frames may wait for a receiver whose mailbox is full before the link is given up.
inline constexpr duration link_stall_max = std::chrono::seconds(10);
/// What the spoke is told then.
inline constexpr duration link_busy_retry_after = std::chrono::seconds(5);

/// One live link: a connection, the session that speaks on it, and what both hosts do alike with the two. Bytes come from
/// the loop, frames from the runtime's threads, ticks from a timer: one lock makes a sequence of them. Hooks that pass
/// frames on are called under it (their order is the stream's), the others without it.
///
/// Credit goes back when a frame has been dealt with, not when a mailbox took it: every frame is passed on with a receipt,
/// and counts when the last holder lets go of that. So what a peer can have waiting in this node is a window, whatever
/// keeps its actor busy. A receiver that answers busy stops the link, too: frames are held here, in order, and the host
/// calls resume() until there is room.
template <class Rules>
class link_end : public connection_handler {
 public:
  using session = link_session<Rules>;
  using incoming = typename session::incoming;
  using outgoing = typename session::outgoing;
  using output = typename session::output;

  link_end(session_id id, std::shared_ptr<connection> over, Rules rules, const session_limits& limits, duration now)
      : id_(id), limits_(limits), connection_(std::move(over)), session_(std::move(rules), limits, now) {}

  session_id id() const { return id_; }

  void on_bytes(std::string_view bytes) final {
    act([&](output& out) { session_.receive(bytes, now(), out); });
  }

  void on_closed(const error& why) final {
    std::optional<error> reason;
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(connection_, nullptr)) return;
      held_.clear();
      reason = ended_why_ ? std::move(*ended_why_) : why;
    }
    gone(*reason);
  }

  /// Sends a frame; `last` ends the link once it is out.
  void send(const outgoing& frame, bool last = false) {
    act([&](output& out) {
      if (auto sent = session_.send(frame, out); !sent) dropped(sent.err());
      if (last) session_.finish(fail(errc::unavailable, "the conversation is over"), now(), out);
    });
  }

  /// Ends the link; the spoke is told why.
  void part(const parting& terms) {
    act([&](output& out) { session_.part(terms, out); });
  }

  /// Ends the link once everything sent before is out.
  void finish(const std::string& reason) {
    act([&](output& out) { session_.finish(fail(errc::unavailable, reason), now(), out); });
  }

  /// Drops the connection.
  void abort(const std::string& reason) {
    act([&](output& out) { session_.part({.why = fail(errc::unavailable, reason), .flush = false}, out); });
  }

  void tick() {
    act([&](output& out) {
      session_.tick(now(), out);
      if (!held_.empty() && now() - held_since_ >= link_stall_max)
        session_.part({fail(errc::busy, "the receiver takes no more messages now"), link_busy_retry_after}, out);
    });
    abort_overdue_close();
  }

  /// Makes the peer show whether it is there: heard() moves when it answers.
  void ask() {
    act([&](output& out) { session_.ask(now(), out); });
  }
  /// When the last bytes came.
  duration heard() {
    const std::lock_guard lock(mutex_);
    return session_.heard();
  }

  /// Tries again to pass on what is held.
  void resume() {
    act([&](output&) { resume_due_ = false; });
  }

  /// Grants the peer again what has been dealt with.
  void settle_credit() {
    act([&](output& out) {
      credit_due_ = false;
      session_.consumed(handled_bytes_.exchange(0), out);
    });
  }

 protected:
  /// Monotonic.
  virtual duration now() const = 0;
  /// Gives a frame to its actor, whose message holds the receipt. errc::busy: later; any other failure ends the link.
  virtual result<void> pass_on(const incoming& frame, link_receipt receipt) = 0;
  /// A frame could not be sent (errc::too_large), or the backlog is full.
  virtual void dropped(const error& why) = 0;
  /// Frames are held: call resume() once, soon.
  virtual void stalled() = 0;
  /// Credit is owed: call settle_credit() soon, but not from here. Any thread, under any lock.
  virtual void credit_due() = 0;
  /// The link is over; comes once, last.
  virtual void gone(const error& why) = 0;
  virtual std::weak_ptr<link_end> weak() = 0;

  const Rules& rules() const { return session_.rules(); }

  /// Runs `f` in sequence with everything else that happens on the link.
  template <class F>
  void in_sequence(F f) {
    const std::lock_guard lock(mutex_);
    f();
  }

 private:
  struct frame_receipt {
    std::weak_ptr<link_end> of;
    std::size_t bytes;
    frame_receipt(std::weak_ptr<link_end> link, std::size_t n) : of(std::move(link)), bytes(n) {}
    frame_receipt(const frame_receipt&) = delete;
    frame_receipt& operator=(const frame_receipt&) = delete;
    ~frame_receipt() {
      if (bytes == 0) return;
      if (const auto link = of.lock()) link->dealt_with(bytes);
    }
  };

  /// Takes no lock: a message may end anywhere, even within a post that was called under ours.
  void dealt_with(std::size_t bytes) {
    const auto owed = handled_bytes_.fetch_add(bytes) + bytes;
    if (owed >= limits_.window / 4 && !credit_due_.exchange(true)) credit_due();
  }

  template <class F>
  void act(F f) {
    std::shared_ptr<connection> ending;
    bool flush = true;
    bool holding = false;
    std::string reason;
    {
      const std::lock_guard lock(mutex_);
      if (!connection_) return;
      output out;
      f(out);
      pass_on_all(out);
      if (!out.write.empty()) connection_->write(std::move(out.write));
      // Credit bounds payload, but answers to pings are free: who asks and never reads is cut off.
      if (!out.ended && !session_.ended() && connection_->unsent() > limits_.window + 2 * frame_bytes_max)
        session_.part({.why = fail(errc::busy, "the peer does not read"), .flush = false}, out);
      if (out.ended) {
        ending = connection_;
        flush = out.ended->flush;
        reason = out.ended->why.message;
        ended_why_ = std::move(out.ended->why);
        ended_since_ = now();
        held_.clear();
      }
      holding = !held_.empty() && !std::exchange(resume_due_, true);
    }
    if (ending) flush ? ending->close() : ending->abort(std::move(reason));
    if (holding) stalled();
  }

  void pass_on_all(output& out) {
    if (held_.empty()) held_since_ = now();
    for (auto& arrival : out.arrivals) held_.push_back(std::move(arrival));
    out.arrivals.clear();
    while (!held_.empty()) {
      const auto& next = held_.front();
      const auto mine = next.bytes == 0 ? nullptr : std::make_shared<frame_receipt>(weak(), next.bytes);
      const auto taken = pass_on(next.frame, mine);
      if (!taken && mine) mine->bytes = 0;
      if (!taken && taken.err().code == errc::busy) return;
      if (!taken) return session_.part({.why = taken.err()}, out);
      held_.pop_front();
      held_since_ = now();
    }
  }

  /// A close that flushes waits for the peer; not for ever.
  void abort_overdue_close() {
    std::shared_ptr<connection> overdue;
    {
      const std::lock_guard lock(mutex_);
      if (ended_why_ && now() - ended_since_ >= limits_.flushed_within) overdue = connection_;
    }
    if (overdue) overdue->abort("the peer did not take what was left to send");
  }

  const session_id id_;
  const session_limits& limits_;
  std::mutex mutex_;
  std::shared_ptr<connection> connection_;
  session session_;
  std::list<typename output::arrival> held_;  ///< a list, because an empty one owns nothing
  duration held_since_{};
  bool resume_due_ = false;                    ///< stalled() was called, resume() not yet
  std::atomic<std::size_t> handled_bytes_{0};  ///< dealt with and not granted again
  std::atomic<bool> credit_due_{false};        ///< credit_due() was called, settle_credit() not yet
  std::optional<error> ended_why_;
  duration ended_since_{};
};

}  // namespace wh
