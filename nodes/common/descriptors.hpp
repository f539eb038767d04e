#pragma once
#include <cstdint>

#include "base/result.hpp"

namespace wh {

/// How many files and sockets this process may have open.
struct descriptor_limits {
  std::uint64_t soft = 0;  ///< what the kernel enforces
  std::uint64_t hard = 0;  ///< how far the process may raise it by itself
};
result<descriptor_limits> read_descriptor_limits();

/// Raises the soft limit to the hard one. Systems keep the soft one at 1,024 for the sake of programs that call select(),
/// which none of ours does; a connection for each cluster needs more.
result<descriptor_limits> raise_descriptor_limit();

}  // namespace wh
