#include "base/call_gate.hpp"

#include <algorithm>

namespace wh {

bool call_gate::enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  inside_.push_back(std::this_thread::get_id());
  return true;
}

void call_gate::leave() {
  const std::lock_guard lock(mutex_);
  inside_.erase(std::find(inside_.begin(), inside_.end(), std::this_thread::get_id()));
  left_.notify_all();
}

void call_gate::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  left_.wait(lock, [this] {
    return std::all_of(inside_.begin(), inside_.end(), [](auto id) { return id == std::this_thread::get_id(); });
  });
}

}  // namespace wh
