#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "transport/net.hpp"

namespace wh {

/// A request as received; header names in lower case. A header that came several times is joined with `, `, cookies with
/// `; `, and those named impersonate-… with a line break.
struct http_request {
  std::string method;
  std::string target;  ///< path and query, as sent
  std::map<std::string, std::string> headers;
  std::string body;
  peer_identity peer;
};

struct http_response {
  int status = 200;
  std::map<std::string, std::string> headers;
  shared_bytes body;
};

/// Answers one request: either one send(), or start() and any number of write_chunk() and an end(). Any thread.
class http_exchange {
 public:
  virtual ~http_exchange() = default;
  virtual void send(http_response response) = 0;
  virtual void start(int status, std::map<std::string, std::string> headers) = 0;
  /// Queues a chunk of a chunked answer.
  virtual void write_chunk(shared_bytes bytes) = 0;
  virtual void end() = 0;
  /// Bytes queued and not yet handed to the kernel: a caller drops slow watchers by it.
  virtual std::size_t unsent() const = 0;
  /// Runs `f` once when the client has gone or the answer has ended and its client has taken it, all but 64 KiB (at once
  /// if it ended already).
  virtual void on_done(std::function<void()> f) = 0;
  virtual bool alive() const = 0;
  virtual void abort() = 0;
};

using http_handler = std::function<void(http_request, std::shared_ptr<http_exchange>)>;

struct http_limits {
  std::size_t header_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 3 * 1024 * 1024;  ///< as kube-apiserver's
  duration header_timeout = std::chrono::seconds(15);
  duration idle_timeout = std::chrono::seconds(90);
  duration write_timeout = std::chrono::seconds(30);
  std::size_t connections_max = 12000;
};

/// HTTPS server: HTTP/1.1, keep-alive, chunked streaming. Malformed requests get a 4xx with a Status-like JSON body from
/// `on_bad_request(status, message)`.
class http_server {
 public:
  virtual ~http_server() = default;
  virtual host_port local() const = 0;
  /// Replaces what new handshakes use (rotation); open connections stay. A configuration that is wrong changes nothing.
  virtual void set_tls(const tls_config& config) = 0;
  /// Stops accepting, ends streams, waits up to `grace` for answers under way.
  virtual void drain(duration grace) = 0;
};

result<std::unique_ptr<http_server>> listen_https(event_loop& loop, const host_port& at, const tls_config& tls,
                                                  const http_limits& limits, http_handler handler,
                                                  std::function<std::string(int, const std::string&)> on_bad_request);

/// A blocking HTTPS client for command line programs and tests. One connection, kept alive, reopened when it broke.
class http_client {
 public:
  virtual ~http_client() = default;
  virtual result<http_response> request(const std::string& method, const std::string& target,
                                        const std::map<std::string, std::string>& headers = {},
                                        const std::string& body = {}, duration timeout = std::chrono::seconds(30)) = 0;
  /// Streams a chunked answer to `on_data` until it returns false, the answer ends or `timeout` of silence passes.
  /// A status other than 2xx comes back as the response with its body.
  virtual result<http_response> stream(const std::string& method, const std::string& target,
                                       const std::map<std::string, std::string>& headers, const std::string& body,
                                       const std::function<bool(std::string_view)>& on_data, duration timeout) = 0;
};

std::unique_ptr<http_client> make_http_client(const host_port& server, const tls_config& tls);

}  // namespace wh
