#pragma once
#include <string_view>

namespace wh {

/// The release that this binary was built from: `0.1.0`.
std::string_view software_version();

}  // namespace wh
