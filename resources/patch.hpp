#pragma once
#include "resources/document.hpp"

namespace wh {

/// RFC 7396.
result<document> apply_merge_patch(const document& target, const document& patch);

/// What a JSON patch may cost, beyond which it is errc::too_large.
struct patch_limits {
  std::size_t operations_max = 10'000;
  std::size_t copied_bytes_max = 3 * 1024 * 1024;  ///< by all `copy` and `move` operations together
  std::size_t shifted_max = 50'000'000;            ///< list elements that make room or close a gap, all together
  std::size_t depth_max = 256;                     ///< at any time on the way
};

/// RFC 6902; a failed `test` or a missing path is errc::invalid naming the operation's index.
result<document> apply_json_patch(const document& target, const document& patch, const patch_limits& limits = {});

}  // namespace wh
