#pragma once
#include <functional>
#include <memory>

#include "apiserver/api.hpp"
#include "transport/http.hpp"

namespace wh {

/// Says whether a client's verified certificate is taken; the error's message goes to the client with 401. Any thread.
using certificate_check = std::function<result<void>(const peer_identity&)>;

/// Serves an api_server over HTTPS: takes the identity from the client certificate (CN is the user, every O a group) or
/// hands the bearer token on, and adapts exchanges to replies. Strangers get 401 except for /healthz, /livez, /readyz,
/// /version.
result<std::unique_ptr<http_server>> serve_api(event_loop& loop, const host_port& at, const tls_config& tls,
                                               const http_limits& limits, api_server& api,
                                               certificate_check check = {});

}  // namespace wh
