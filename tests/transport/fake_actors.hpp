#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "messages/actor_messages.hpp"

namespace wh::testing {

/// Stands in for a node's actors: keeps what link hosts post, and can have no room.
class fake_actors {
 public:
  result<void> post(envelope e) {
    const std::lock_guard lock(mutex_);
    if (busy_) return fail(errc::busy, "mailbox full");
    mail_.push_back(std::move(e));
    arrived_.notify_all();
    return {};
  }
  void set_busy(bool busy) {
    const std::lock_guard lock(mutex_);
    busy_ = busy;
  }

  /// Everything of one type, in order.
  template <class T>
  std::vector<T> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<T> out;
    for (const auto& e : mail_)
      if (const auto* body = std::get_if<T>(&e.body)) out.push_back(*body);
    return out;
  }
  /// The frames of one type that came in spoke_frame or hub_frame.
  template <class Frame, class Message>
  std::vector<Frame> frames() const {
    std::vector<Frame> out;
    for (const auto& m : all<Message>())
      if (const auto* f = std::get_if<Frame>(&m.frame)) out.push_back(*f);
    return out;
  }
  std::vector<envelope> mail() const {
    const std::lock_guard lock(mutex_);
    return mail_;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    mail_.clear();
  }

  /// For tests with threads: waits until there are `n` of a type.
  template <class T>
  bool wait_for(std::size_t n = 1) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::seconds(20), [&] {
      std::size_t found = 0;
      for (const auto& e : mail_) found += std::holds_alternative<T>(e.body);
      return found >= n;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<envelope> mail_;
  bool busy_ = false;
};

}  // namespace wh::testing
