#pragma once
#include <atomic>

#include "fixtures.hpp"

namespace wh::test {

/// An HTTPS server whose handler is given by path:
///   /echo    method, target, some headers and body, as text
///   /stream  three chunks
///   /hang    answers when `release` is set
///   /watch   starts a stream and keeps the exchange in `watch`
///   /drop    lets go of the exchange
///   /throw   throws
///   /large   answers with 8 MiB
struct web {
  explicit web(http_limits limits = {}, bool request_client_cert = false, unsigned threads = 2);
  ~web();
  host_port at() const { return server->local(); }
  tls_config client_config() const;
  std::unique_ptr<http_client> client() const { return make_http_client(at(), client_config()); }
  /// Sends bytes over TLS and returns all that comes until the server closes.
  std::string talk(std::string_view bytes) const;

  authority ca;
  // Before the loop, because callbacks set them until it has stopped.
  awaited<std::shared_ptr<http_exchange>> held;   ///< of /hang
  awaited<std::shared_ptr<http_exchange>> watch;  ///< of /watch
  awaited<bool> done;                             ///< on_done of /watch or /hang
  std::atomic<int> larges = 0;                    ///< answers of /large
  event_loop loop;
  std::unique_ptr<http_server> server;

 private:
  void handle(http_request request, const std::shared_ptr<http_exchange>& answer);
};

/// How often `what` occurs.
int count(std::string_view text, std::string_view what);

}  // namespace wh::test
