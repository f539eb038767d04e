#pragma once
#include <memory>
#include <string>

namespace wh {

/// Immutable bytes shared between store, ring, watchers and sessions: serialised once, copied never.
using shared_bytes = std::shared_ptr<const std::string>;

inline shared_bytes share(std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }

}  // namespace wh
