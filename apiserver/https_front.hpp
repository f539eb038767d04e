#pragma once
#include <memory>

#include "apiserver/api.hpp"
#include "transport/http.hpp"

namespace wh {

/// Serves an api_server over HTTPS: takes the identity from the client certificate (CN is the user, every O a group) or
/// hands the bearer token on, and adapts exchanges to replies. Strangers get 401 except for /healthz, /livez, /readyz,
/// /version.
result<std::unique_ptr<http_server>> serve_api(event_loop& loop, const host_port& at, const tls_config& tls,
                                               const http_limits& limits, api_server& api);

}  // namespace wh
