#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "transport/http_answer.hpp"
#include "transport/http_request_reader.hpp"
#include "transport/net_channel.hpp"

namespace wh {

class http_connection;

/// What a server shares with its connections, which may outlive it.
class http_server_core {
 public:
  http_limits limits;
  http_handler handler;
  std::function<std::string(int, const std::string&)> on_bad_request;
  call_gate gate;  ///< closed: handler and on_bad_request are not called any more
  std::atomic<bool> draining = false;

  tls_context_ptr tls();
  void set_tls(tls_context_ptr context);
  void add(const std::shared_ptr<http_connection>& connection);
  void remove(const http_connection* connection);
  std::vector<std::shared_ptr<http_connection>> connections();
  /// Waits until no connection is left, at most `d`.
  bool wait_empty(duration d);

 private:
  std::mutex mutex_;
  std::condition_variable removed_;
  tls_context_ptr tls_;  ///< of new handshakes
  std::map<const http_connection*, std::weak_ptr<http_connection>> connections_;
};

/// The answer to one request.
class exchange final : public http_exchange {
 public:
  exchange(std::shared_ptr<http_connection> connection, std::shared_ptr<tls_channel> channel, answer_form form);
  ~exchange() override;

  void send(http_response response) override;
  void start(int status, std::map<std::string, std::string> headers) override;
  void write_chunk(shared_bytes bytes) override;
  void end() override;
  std::size_t unsent() const override;
  void on_done(std::function<void()> f) override;
  bool alive() const override;
  void abort() override;

  /// The client has gone.
  void client_gone();
  /// The loop has stopped: nothing is answered and nobody told.
  void forget();
  /// The server drains: a stream ends here, in good order, so that its client reconnects elsewhere.
  void end_stream_for_drain();

 private:
  enum class stage { fresh, streaming, done };
  using callbacks = std::vector<std::function<void()>>;
  void finish_locked();
  void end_locked();

  const std::shared_ptr<http_connection> connection_;
  const std::shared_ptr<tls_channel> channel_;
  mutable std::mutex mutex_;  ///< guards what follows
  answer_form form_;
  body_framing framing_ = body_framing::sized;
  stage stage_ = stage::fresh;
  callbacks on_done_;
};

/// The server's end of one connection: requests one after the other, each answered before the next is looked at.
class http_connection final : public connection_handler,
                              public loop_end_listener,
                              public std::enable_shared_from_this<http_connection> {
 public:
  http_connection(std::shared_ptr<http_server_core> core, std::shared_ptr<tls_channel> channel);

  /// All on the channel's strand.
  void begin();
  void on_bytes(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(const error& why) override;
  void loop_ended() override;
  /// An answer has been queued in full. `done` runs when its client has taken it, or has gone; only then the next request
  /// is looked at, so that a client that asks on and on and never reads is not answered into memory.
  void answer_ended(bool keep_alive, std::vector<std::function<void()>> done);
  void drain();

  const std::shared_ptr<tls_channel>& channel() const { return channel_; }
  /// The body of an answer that the server itself gives. Any thread.
  std::string error_body(int status, const std::string& message);

 private:
  enum class waiting { nothing, first_header, idle, header, body };
  void serve();
  void dispatch();
  void refuse();
  void await(waiting what);
  void answer_taken();

  const std::shared_ptr<http_server_core> core_;
  const std::shared_ptr<tls_channel> channel_;
  http_request_reader reader_;
  std::weak_ptr<exchange> current_;
  struct ended_answer {
    bool keep_alive = false;
    std::vector<std::function<void()>> done;
  };
  std::optional<ended_answer> untaken_;  ///< queued in full; its client has yet to read it
  bool busy_ = false;                    ///< an answer is under way
  bool ended_ = false;                   ///< no further request is served
  waiting waiting_ = waiting::nothing;
};

}  // namespace wh
