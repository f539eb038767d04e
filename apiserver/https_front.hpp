#pragma once
#include <memory>

#include "apiserver/api.hpp"
#include "transport/http.hpp"

namespace wh {

/// Serves an api_server over HTTPS: authenticates (client certificate: CN is the user, every O a group; without one the
/// request is anonymous and gets 401 except for /healthz, /livez, /readyz, /version), adapts exchanges to replies.
result<std::unique_ptr<http_server>> serve_api(event_loop& loop, const host_port& at, const tls_config& tls,
                                               const http_limits& limits, api_server& api);

}  // namespace wh
