#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "messages/batch.hpp"
#include "persistence/store.hpp"

namespace wh::storage {

/// Hands committed changes to the feed's listeners so that none misses or repeats a change: becoming visible and
/// choosing the audience are one step, and a subscription falls before or after it.
class feed_hub {
 public:
  /// `current` is asked while no publication can happen; its answer is what the subscription starts after.
  revision subscribe(feed_listener* listener, const std::function<revision()>& current);

  /// When this returns, the listener is not being called and never will be (unless it is itself the caller).
  void unsubscribe(feed_listener* listener);

  /// Runs `make_visible`, then tells the listeners. One thread at a time.
  void publish(const std::vector<change>& changes, const std::function<void()>& make_visible);

 private:
  bool listens(feed_listener* listener);
  std::mutex mutex_;
  std::condition_variable delivered_;
  std::vector<feed_listener*> listeners_;
  std::thread::id delivering_;
};

}  // namespace wh::storage
