#pragma once
#include <string>

#include "base/result.hpp"

namespace wh::storage {

/// Holds a store's folder for this process. A second holder, here or in another process, is refused with the first
/// one's process id; the lock goes with its process however that ends.
class store_lock {
 public:
  static result<store_lock> take(const std::string& dir);
  store_lock() = default;
  store_lock(store_lock&& other) noexcept;
  store_lock& operator=(store_lock&& other) noexcept;
  ~store_lock();

 private:
  explicit store_lock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace wh::storage
