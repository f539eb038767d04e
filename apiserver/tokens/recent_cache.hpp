#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace wh {

/// Remembers what was asked for lately: at most 2 x `generation_max` values, in two generations of which the older is
/// dropped as a whole. Thread-safe.
template <class Value>
class recent_cache {
 public:
  explicit recent_cache(std::size_t generation_max) : max_(generation_max) {}

  std::shared_ptr<const Value> find(const std::string& key) {
    std::lock_guard lock(mutex_);
    if (auto it = young_.find(key); it != young_.end()) return it->second;
    auto it = old_.find(key);
    if (it == old_.end()) return nullptr;
    auto value = it->second;
    keep(key, value);
    return value;
  }
  void put(const std::string& key, std::shared_ptr<const Value> value) {
    std::lock_guard lock(mutex_);
    keep(key, std::move(value));
  }
  void clear() {
    std::lock_guard lock(mutex_);
    young_.clear();
    old_.clear();
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return young_.size() + old_.size();
  }

 private:
  void keep(const std::string& key, std::shared_ptr<const Value> value) {
    if (young_.size() >= max_) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_[key] = std::move(value);
  }

  const std::size_t max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Value>> young_, old_;
};

}  // namespace wh
