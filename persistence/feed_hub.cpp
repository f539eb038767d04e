#include "persistence/feed_hub.hpp"

#include <algorithm>

namespace wh::storage {

revision feed_hub::subscribe(feed_listener* listener, const std::function<revision()>& current) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(listener);
  return current();
}

void feed_hub::unsubscribe(feed_listener* listener) {
  std::unique_lock lock(mutex_);
  std::erase(listeners_, listener);
  delivered_.wait(lock,
                  [this] { return delivering_ == std::thread::id{} || delivering_ == std::this_thread::get_id(); });
}

void feed_hub::publish(const std::vector<change>& changes, const std::function<void()>& make_visible) {
  std::vector<feed_listener*> audience;
  {
    const std::lock_guard lock(mutex_);
    make_visible();
    if (changes.empty() || listeners_.empty()) return;
    audience = listeners_;
    delivering_ = std::this_thread::get_id();
  }
  for (feed_listener* listener : audience)
    if (listens(listener)) listener->on_committed(changes);
  {
    const std::lock_guard lock(mutex_);
    delivering_ = {};
  }
  delivered_.notify_all();
}

bool feed_hub::listens(feed_listener* listener) {
  const std::lock_guard lock(mutex_);
  return std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end();
}

}  // namespace wh::storage
