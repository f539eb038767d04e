#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/mailbox_rules.hpp"
#include "base/result.hpp"

namespace wh::testing {

/// Stands in for a node's actors: keeps what link hosts post, can have no room, and can leave its mail lying.
class fake_actors {
 public:
  result<void> post(envelope e) {
    const std::lock_guard lock(mutex_);
    const bool may_refuse = rule_of(e.body) == mailbox_rule::refused || rule_of(e.body) == mailbox_rule::pushes_back;
    if (busy_ && may_refuse) return fail(errc::busy, "mailbox full");
    receipts_.push_back(take_receipt(e.body));
    if (!idle_) receipts_.clear();
    mail_.push_back(std::move(e));
    arrived_.notify_all();
    return {};
  }
  void set_busy(bool busy) {
    const std::lock_guard lock(mutex_);
    busy_ = busy;
  }

  /// While idle, mail is taken and not handled.
  void set_idle(bool idle) {
    std::vector<link_receipt> handled;  // ends without the lock
    const std::lock_guard lock(mutex_);
    idle_ = idle;
    if (!idle) handled.swap(receipts_);
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
  static link_receipt take_receipt(message& m) {
    if (auto* f = std::get_if<spoke_frame>(&m)) return std::move(f->receipt);
    if (auto* f = std::get_if<hub_frame>(&m)) return std::move(f->receipt);
    return nullptr;
  }

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<envelope> mail_;
  std::vector<link_receipt> receipts_;  ///< of mail that is not handled
  bool busy_ = false;
  bool idle_ = false;
};

}  // namespace wh::testing
