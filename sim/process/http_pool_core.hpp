#pragma once
// The insides of http_pool: included by its sources alone.
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "sim/process/http_pool.hpp"
#include "transport/http_response_reader.hpp"

namespace wh {

/// A request and who waits for its answer.
struct http_pool::job {
  pool_request request;
  answer_function on_answer;
  std::chrono::steady_clock::time_point deadline;
  bool refused = false;  ///< one more than may wait
};

/// The pool's insides, for its own thread only unless said otherwise.
class http_pool::core {
 public:
  explicit core(http_pool_options o) : options_(std::move(o)) {
    options_.tls.alpn = {"http/1.1"};
    loop_.emplace(1);
    loop_->post([this] { thread_ = std::this_thread::get_id(); });
  }

  // --- any thread ---
  void submit(job j);
  stream_id open(pool_request request, stream_handlers handlers);
  void close(stream_id id);
  void abandon();
  void shut_down();
  event_loop& loop() { return *loop_; }
  std::size_t outstanding() const { return outstanding_; }
  bool on_own_thread() const { return thread_.load() == std::this_thread::get_id(); }

  // --- called by lines ---
  void answer(job j, result<http_response> with);
  void line_idle(line& l);
  void line_ended(line& l);
  const http_pool_options& options() const { return options_; }

 private:
  void take_inbox();
  void start_stream(stream_id id, pool_request request, stream_handlers handlers);
  void serve_queue();
  void dial();
  void dial_failed(const error& why);
  void arm_sweep();
  void sweep();
  void fail_overdue(std::chrono::steady_clock::time_point now);
  void fail_queue(const error& why);
  void fail_lines(const error& why);

  http_pool_options options_;
  std::atomic<std::thread::id> thread_;
  std::atomic<std::size_t> outstanding_ = 0;
  std::atomic<stream_id> next_stream_ = 1;
  std::mutex mutex_;  ///< guards the two below
  std::vector<job> inbox_;
  bool closed_ = false;
  std::deque<job> queue_;
  std::set<std::shared_ptr<line>> lines_;  ///< of requests, busy or idle
  std::vector<line*> idle_;
  std::size_t dialing_ = 0;
  std::unordered_map<stream_id, std::shared_ptr<line>> streams_;
  bool sweep_armed_ = false;
  bool abandoned_ = false;
  std::optional<event_loop> loop_;  ///< last: its thread uses all of the above
};

/// One connection: of requests, one at a time, or of a stream.
class http_pool::line final : public connection_handler, public std::enable_shared_from_this<http_pool::line> {
 public:
  using clock = std::chrono::steady_clock;
  line(core& owner, std::shared_ptr<connection> c) : owner_(&owner), connection_(std::move(c)) {}
  /// A stream, whose connection comes later.
  line(core& owner, job request, std::function<void(std::string_view)> on_data)
      : owner_(&owner), on_data_(std::move(on_data)) {
    job_ = std::move(request);
  }

  void connected(std::shared_ptr<connection> c) { connection_ = std::move(c); }
  void begin(job j) {
    job_ = std::move(j);
    ask();
  }
  /// Unused for so long that the server may be about to close it.
  bool stale(clock::time_point now) const { return now - idle_since_ > idle_max; }
  void ask();
  bool busy() const { return job_.has_value(); }
  /// Ends its job if its time is up.
  void check(clock::time_point now);
  /// Gives the job up with an error, and the connection with it.
  void fail_job(const error& why);
  /// Forgets everything without a word to anybody.
  void abandon();

  void on_bytes(std::string_view bytes) override;
  void on_closed(const error& why) override;

 private:
  void finish(result<http_response> with);

  static constexpr auto idle_max = std::chrono::seconds(60);  // a hub closes after 90

  core* owner_;
  clock::time_point idle_since_ = clock::now();
  std::shared_ptr<connection> connection_;
  std::optional<job> job_;
  std::optional<http_response_reader> reader_;
  std::function<void(std::string_view)> on_data_;  ///< set: a stream
};

/// What a request that is not answered in time fails with.
error late(const pool_request& request);

}  // namespace wh
