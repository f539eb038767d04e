#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "transport/http.hpp"

namespace wh {

struct http_pool_options {
  host_port server;
  tls_config tls;
  std::map<std::string, std::string> headers = {};  ///< sent with every request
  std::size_t connections_max = 8;                  ///< streams not counted: each has its own
  std::size_t outstanding_max = 20000;              ///< requests that wait or are under way; more are errc::busy
  duration dial_timeout = std::chrono::seconds(10);
};

struct pool_request {
  std::string method = "GET";
  std::string target;  ///< path and query
  std::string content_type = {};
  std::string body = {};
  duration timeout = std::chrono::seconds(30);  ///< from now to the whole answer; of a stream: of silence
};

/// Asynchronous HTTPS requests to one server, over connections that are kept alive.
///
/// Everything happens on one thread of the pool's own, so nothing in it needs a lock but the inbox through which other
/// threads hand it requests. Each request is answered exactly once, on that thread: with the response, whatever its
/// status; or with the error that ended it, at the latest when its time is up or the pool ends. A callback may send
/// further requests, and must not block.
class http_pool {
 public:
  using answer_function = std::function<void(result<http_response>)>;

  /// An answer without end, such as a watch. Ends when it is cut, silent for too long, or when the pool ends.
  struct stream_handlers {
    std::function<void(std::string_view)> on_data;  ///< a piece of a 2xx answer's body
    /// The last call: a response with another status and its body; a 2xx one that the server ended; or what cut it.
    answer_function on_end;
  };
  using stream_id = std::uint64_t;

  explicit http_pool(http_pool_options options);
  /// Answers what is still open with errc::unavailable. Not from a callback.
  ~http_pool();
  http_pool(const http_pool&) = delete;
  http_pool& operator=(const http_pool&) = delete;

  void send(pool_request request, answer_function on_answer);
  stream_id open_stream(pool_request request, stream_handlers handlers);
  /// Its handlers run no more, on_end included; if called on another thread than the pool's, soon.
  void close_stream(stream_id id);
  /// Runs `f` on the pool's thread, after `d`. Dropped when the pool ends first.
  void after(duration d, std::function<void()> f);
  void post(std::function<void()> f);
  /// From now on every request fails at once (errc::unavailable), on the pool's thread as always, those that are open and
  /// streams included: for an end that shall not wait for a server. Any thread.
  void abandon();
  /// Requests that wait or are under way.
  std::size_t outstanding() const;
  bool on_own_thread() const;

 private:
  class core;
  class line;
  struct job;
  std::unique_ptr<core> core_;
};

}  // namespace wh
