#include "sim/live/slow_link.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace wh {
namespace {

/// What happens later, in order, one at a time. Whoever calls push() keeps it alive by the timer that is set.
template <class Item>
class delay_line : public std::enable_shared_from_this<delay_line<Item>> {
 public:
  using take_function = std::function<void(Item)>;
  explicit delay_line(link_timers timers) : timers_(std::move(timers)) {}

  void push(Item item, duration wait, const take_function& take) {
    {
      const std::lock_guard lock(mutex_);
      // Nothing overtakes.
      last_due_ = std::max(last_due_, timers_.now() + wait);
      items_.emplace_back(last_due_, std::move(item));
      if (std::exchange(armed_, true)) return;
    }
    arm(wait, take);
  }

  /// Forgets what has not arrived. What is being delivered at this moment goes on.
  void clear() {
    const std::lock_guard lock(mutex_);
    items_.clear();
    last_due_ = duration::zero();
  }

 private:
  void arm(duration wait, const take_function& take) {
    timers_.after(std::max(wait, duration::zero()), [self = this->shared_from_this(), take] { self->deliver(take); });
  }

  /// One delivery is under way at most: the timer is set again only behind it.
  void deliver(const take_function& take) {
    while (auto item = next_due()) take(std::move(*item));
    std::unique_lock lock(mutex_);
    armed_ = !items_.empty();
    if (!armed_) return;
    const auto wait = items_.front().first - timers_.now();
    lock.unlock();
    arm(wait, take);
  }

  std::optional<Item> next_due() {
    const std::lock_guard lock(mutex_);
    if (items_.empty() || items_.front().first > timers_.now()) return std::nullopt;
    auto item = std::move(items_.front().second);
    items_.pop_front();
    return item;
  }

  const link_timers timers_;
  std::mutex mutex_;  ///< guards what follows
  std::deque<std::pair<duration, Item>> items_;
  duration last_due_{};
  bool armed_ = false;  ///< a timer is set, or a delivery under way
};

/// What a handler hears, later.
struct arrival {
  std::string bytes = {};
  bool drained = false;
  std::optional<error> closed = {};
};

// Who holds whom: the real connection its near_end, that the user's handler, that its far_end, and that the real
// connection, which lets go of its handler when it ends or its loop does. Timers hold what they will need until they fire.

/// Between the real connection and the user's handler.
class near_end final : public connection_handler, public std::enable_shared_from_this<near_end> {
 public:
  near_end(std::shared_ptr<connection_handler> to, const link_timers& timers, duration one_way)
      : to_(std::move(to)), line_(std::make_shared<delay_line<arrival>>(timers)), one_way_(one_way) {}

  void on_bytes(std::string_view bytes) override {
    if (!muted_) push({.bytes = std::string(bytes)}, one_way_);
  }
  void on_drained() override { push({.drained = true}, duration::zero()); }
  void on_closed(const error& why) override { push({.closed = why}, muted_ ? duration::zero() : one_way_); }

  /// This side has ended the connection: no byte arrives any more, only the end, which may be on its way already.
  void mute() { muted_ = true; }

 private:
  void push(arrival a, duration wait) {
    line_->push(std::move(a), wait, [self = shared_from_this()](const arrival& got) { self->take(got); });
  }
  void take(const arrival& got) {
    if (got.closed) {
      if (const auto last = std::exchange(to_, nullptr)) last->on_closed(*got.closed);
    } else if (to_ && got.drained) {
      to_->on_drained();
    } else if (to_ && !muted_) {
      to_->on_bytes(got.bytes);
    }
  }

  std::shared_ptr<connection_handler> to_;
  const std::shared_ptr<delay_line<arrival>> line_;
  const duration one_way_;
  std::atomic<bool> muted_ = false;
};

/// Bytes to be written, or the end of them.
struct departure {
  std::string bytes = {};
  bool close = false;
};

/// What the user's handler writes to.
class far_end final : public connection, public std::enable_shared_from_this<far_end> {
 public:
  far_end(std::shared_ptr<connection> real, const link_timers& timers, duration one_way)
      : real_(std::move(real)), line_(std::make_shared<delay_line<departure>>(timers)), one_way_(one_way) {}

  void answers_to(const std::shared_ptr<near_end>& near) {
    const std::lock_guard lock(mutex_);
    near_ = near;
    if (ended_) near->mute();
  }

  void write(std::string bytes) override {
    if (ended_) return;
    waiting_ += bytes.size();
    push({.bytes = std::move(bytes)});
  }
  void close() override {
    if (end()) push({.close = true});
  }
  void abort(std::string reason) override {
    end();
    line_->clear();
    waiting_ = 0;
    real_->abort(std::move(reason));
  }
  const peer_identity& peer() const override { return real_->peer(); }
  std::size_t unsent() const override { return waiting_ + real_->unsent(); }

 private:
  /// False: it had ended before.
  bool end() {
    const std::lock_guard lock(mutex_);
    if (ended_.exchange(true)) return false;
    if (const auto near = near_.lock()) near->mute();
    return true;
  }
  void push(departure d) {
    line_->push(std::move(d), one_way_, [self = shared_from_this()](departure due) { self->send(std::move(due)); });
  }
  void send(departure due) {
    if (due.close) return real_->close();
    // After an abort() in between, there is nothing left to count.
    auto left = waiting_.load();
    while (!waiting_.compare_exchange_weak(left, left - std::min(left, due.bytes.size()))) {
    }
    real_->write(std::move(due.bytes));
  }

  const std::shared_ptr<connection> real_;
  const std::shared_ptr<delay_line<departure>> line_;
  const duration one_way_;
  std::atomic<std::size_t> waiting_ = 0;  ///< bytes in line_
  std::atomic<bool> ended_ = false;       ///< changes under the mutex
  std::mutex mutex_;                      ///< guards near_
  std::weak_ptr<near_end> near_;
};

}  // namespace

accept_handler over_slow_link(accept_handler on_connected, link_timers timers, duration one_way) {
  if (one_way <= duration::zero()) return on_connected;
  return [on_connected = std::move(on_connected), timers = std::move(timers),
          one_way](std::shared_ptr<connection> real) -> std::shared_ptr<connection_handler> {
    const auto far = std::make_shared<far_end>(std::move(real), timers, one_way);
    auto handler = on_connected(far);
    if (!handler) return nullptr;
    auto near = std::make_shared<near_end>(std::move(handler), timers, one_way);
    far->answers_to(near);
    return near;
  };
}

}  // namespace wh
