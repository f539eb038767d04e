#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "transport/link_ports.hpp"

namespace wh {

/// Lets only so many dials of a fleet be under way; the others wait, first come first served, and their time-outs do not
/// run yet. Real clusters shake hands on processors of their own. Those of a fleet share one, and if all dialled at once
/// none would be ready in time. Thread-safe.
class dial_queue : public std::enable_shared_from_this<dial_queue> {
 public:
  explicit dial_queue(std::size_t at_once) : free_(at_once) {}

  /// Dials as `dial` does, once it may.
  link_dialer over(link_dialer dial);
  /// Forgets all that wait; neither of their callbacks runs.
  void close();

 private:
  void enter(std::function<void()> begin);
  void leave();

  std::mutex mutex_;  ///< guards what follows
  std::size_t free_;
  bool closed_ = false;
  std::deque<std::function<void()>> waiting_;
};

}  // namespace wh
