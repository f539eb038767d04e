#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bench/api/answer_reader.hpp"
#include "transport/tls.hpp"

namespace wh::bench {

using clock = std::chrono::steady_clock;

/// A server to talk to.
struct endpoint {
  host_port at;
  tls_context_ptr tls;  ///< null: plain HTTP
  std::string headers;  ///< lines sent with every request
};

/// Set by a signal: every loop ends, and what waits for one fails.
extern std::atomic<bool> interrupted;

/// The client's one thread: waits for sockets and runs timers. Everything of a loop is used by the thread that runs it.
class client_loop {
 public:
  client_loop();
  ~client_loop();
  client_loop(const client_loop&) = delete;
  client_loop& operator=(const client_loop&) = delete;

  /// Runs until `done` says so, which is asked after every batch of events; false when `limit` has passed before, or
  /// the user interrupts.
  bool run(const std::function<bool()>& done, clock::duration limit);
  void run_for(clock::duration d) {
    run([] { return false; }, d);
  }
  /// Runs `f` once, after `d`.
  void after(clock::duration d, std::function<void()> f) { timers_.emplace(clock::now() + d, std::move(f)); }
  int descriptor() const { return epoll_; }

 private:
  void run_timers();
  int wait_ms(clock::time_point until) const;

  int epoll_;
  std::multimap<clock::time_point, std::function<void()>> timers_;
};

class line;

/// What happens on a line. Within these functions, lines may send, and none may be destroyed.
class line_user {
 public:
  virtual ~line_user() = default;
  virtual void on_open(line&) {}
  virtual void on_head(line&) {}
  virtual void on_body(line&, std::string_view) {}
  virtual void on_answer(line&) = 0;
  /// The connection has failed or ended; nothing follows.
  virtual void on_end(line&, const error& why) = 0;
};

/// One connection, TLS or plain, kept alive. `number` is its user's.
class line final : public byte_stream, public answer_sink {
 public:
  line(client_loop& loop, const endpoint& to, line_user& user, std::size_t number);
  ~line() override;

  /// Dials. on_open or on_end follows.
  void dial();
  /// A request without a body, or with one: content type and length are added.
  void send(std::string_view method, std::string_view target, std::string_view body = {},
            std::string_view content_type = "application/json");
  void ready();  ///< the loop's: the socket may have something

  std::size_t number() const { return number_; }
  int status() const { return reader_.status(); }
  const std::string& head() const { return reader_.head(); }
  clock::time_point sent_at() const { return sent_at_; }

 private:
  enum class phase { idle, connecting, handshaking, open, ended };
  ssize_t send(const char* bytes, std::size_t size) override;
  ssize_t receive(char* to, std::size_t size) override;
  void on_head() override { user_.on_head(*this); }
  void on_body(std::string_view piece) override { user_.on_body(*this, piece); }
  void on_answer_end() override { user_.on_answer(*this); }
  bool progress();
  void flush();
  void read_all();
  io_status read_some(char* to, std::size_t size, std::size_t& n);
  io_status write_some(std::size_t& n);
  void end(const error& why);

  client_loop& loop_;
  const endpoint& to_;
  line_user& user_;
  const std::size_t number_;
  int fd_ = -1;
  phase phase_ = phase::idle;
  std::unique_ptr<tls_stream> tls_;
  answer_reader reader_;
  std::string out_;
  std::size_t out_at_ = 0;
  clock::time_point sent_at_;
};

}  // namespace wh::bench
