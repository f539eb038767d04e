#pragma once
#include <string_view>

#include "base/result.hpp"

namespace wh {

/// The failure that an API server's answer tells of: by its HTTP status, and the Status document in its body if there is one.
error error_of_answer(int http_status, std::string_view body);

}  // namespace wh
