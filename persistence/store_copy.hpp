#pragma once
#include "base/result.hpp"

namespace wh::storage {

/// A store whose file can be copied while it is in use.
class copyable {
 public:
  virtual ~copyable() = default;
  /// Writes a compacted LMDB file to an open descriptor.
  virtual result<void> copy_to(int fd) const = 0;
};

}  // namespace wh::storage
