#pragma once
#include "resources/document.hpp"

namespace wh {

/// RFC 7396.
result<document> apply_merge_patch(const document& target, const document& patch);

/// RFC 6902; a failed `test` or a missing path is errc::invalid naming the operation's index. At most 10,000 operations.
result<document> apply_json_patch(const document& target, const document& patch);

}  // namespace wh
