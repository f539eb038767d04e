#include "sim/live/dial_queue.hpp"

namespace wh {

link_dialer dial_queue::over(link_dialer dial) {
  return [me = shared_from_this(), dial = std::move(dial)](const host_port& to, const tls_config& tls, duration timeout,
                                                           accept_handler on_connected,
                                                           std::function<void(const error&)> on_failed) {
    auto connected = [me, on_connected = std::move(on_connected)](std::shared_ptr<connection> made) {
      me->leave();
      return on_connected(std::move(made));
    };
    auto failed = [me, on_failed = std::move(on_failed)](const error& why) {
      me->leave();
      on_failed(why);
    };
    me->enter([=, connected = std::move(connected), failed = std::move(failed)] {
      dial(to, tls, timeout, connected, failed);
    });
  };
}

void dial_queue::enter(std::function<void()> begin) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (free_ == 0) return waiting_.push_back(std::move(begin));
    --free_;
  }
  begin();
}

void dial_queue::leave() {
  std::function<void()> next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next();
}

void dial_queue::close() {
  std::deque<std::function<void()>> forgotten;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  forgotten.swap(waiting_);
}

}  // namespace wh
