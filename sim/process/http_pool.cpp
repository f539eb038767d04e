#include "sim/process/http_pool.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/assert.hpp"
#include "transport/http_response_reader.hpp"

namespace wh {
namespace {

using clock = std::chrono::steady_clock;

/// How exactly deadlines are kept.
constexpr duration sweep_interval = std::chrono::milliseconds(50);

/// A request and who waits for its answer.
struct job {
  pool_request request;
  http_pool::answer_function on_answer;
  clock::time_point deadline;
  bool refused = false;  ///< one more than may wait
};

error ended() { return fail(errc::unavailable, "the client has been closed"); }
error late(const job& j) {
  return fail(errc::timeout, j.request.method + " " + j.request.target + ": no answer within " +
                                 std::to_string(j.request.timeout.count() / 1000) + " ms");
}

std::string compose(const http_pool_options& options, const pool_request& r) {
  std::string text;
  text.reserve(512 + r.body.size());
  text += r.method + " " + r.target + " HTTP/1.1\r\nhost: " + options.server.text() + "\r\n";
  for (const auto& [name, value] : options.headers) text += name + ": " + value + "\r\n";
  if (!r.content_type.empty()) text += "content-type: " + r.content_type + "\r\n";
  if (!r.body.empty() || r.method != "GET") text += "content-length: " + std::to_string(r.body.size()) + "\r\n";
  text += "\r\n";
  text += r.body;
  return text;
}

}  // namespace

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
  void shut_down();
  event_loop& loop() { return *loop_; }
  std::size_t outstanding() const { return outstanding_; }
  bool on_own_thread() const { return thread_.load() == std::this_thread::get_id(); }

  // --- called by lines ---
  void answer(job j, result<http_response> with);
  void line_idle(line& l);
  void line_ended(line& l, const error& why);
  const http_pool_options& options() const { return options_; }

 private:
  void take_inbox();
  void start_stream(stream_id id, pool_request request, stream_handlers handlers);
  void serve_queue();
  void dial();
  void dial_failed(const error& why);
  void arm_sweep();
  void sweep();

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
  std::optional<event_loop> loop_;  ///< last: its thread uses all of the above
};

/// One connection: of requests, one at a time, or of a stream.
class http_pool::line final : public connection_handler, public std::enable_shared_from_this<http_pool::line> {
 public:
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
  void ask();
  bool busy() const { return job_.has_value(); }
  /// Ends its job if its time is up.
  void check(clock::time_point now) {
    if (job_ && now >= job_->deadline) fail_job(late(*job_));
  }
  /// Gives the job up with an error, and the connection with it.
  void fail_job(const error& why);
  /// Forgets everything without a word to anybody.
  void abandon();

  void on_bytes(std::string_view bytes) override;
  void on_closed(const error& why) override;

 private:
  void finish(result<http_response> with);

  core* owner_;
  std::shared_ptr<connection> connection_;
  std::optional<job> job_;
  std::optional<http_response_reader> reader_;
  std::function<void(std::string_view)> on_data_;  ///< set: a stream
};

// --- a line -----------------------------------------------------------------------------------------------------------

void http_pool::line::ask() {
  if (on_data_)
    reader_.emplace(job_->request.method == "HEAD", [this](std::string_view bytes) {
      if (on_data_) on_data_(bytes);
      return job_.has_value();
    });
  else reader_.emplace(job_->request.method == "HEAD");
  connection_->write(compose(owner_->options(), job_->request));
}

void http_pool::line::on_bytes(std::string_view bytes) {
  // A handler may close the stream, and us with it.
  const auto self = shared_from_this();
  if (!job_ || !reader_) return fail_job(fail(errc::corrupt, "the server spoke unasked"));
  if (on_data_) job_->deadline = clock::now() + job_->request.timeout;
  if (auto ok = reader_->append(bytes); !ok) return fail_job(ok.err());
  if (!job_ || !reader_->complete()) return;
  const bool reusable = reader_->keep_alive() && !on_data_;
  auto response = reader_->take();
  reader_.reset();
  if (!reusable) return finish(std::move(response));
  auto done = std::move(*job_);
  job_.reset();
  owner_->line_idle(*this);
  owner_->answer(std::move(done), std::move(response));
}

void http_pool::line::on_closed(const error& why) {
  const auto self = shared_from_this();
  if (!owner_) return;
  // An answer may be one that only the connection's end completes.
  if (job_ && reader_ && reader_->begun() && reader_->end_of_input() && reader_->complete())
    return finish(reader_->take());
  fail_job(why.code == errc::unavailable ? why : fail(errc::unavailable, why.message));
}

void http_pool::line::fail_job(const error& why) {
  if (job_) return finish(fail(why.code, owner_->options().server.text() + ": " + why.message));
  const auto self = shared_from_this();
  const auto owner = owner_;
  abandon();
  if (owner) owner->line_ended(*this, why);
}

void http_pool::line::finish(result<http_response> with) {
  const auto self = shared_from_this();
  const auto owner = owner_;
  auto done = std::move(*job_);
  const auto why = with ? ended() : with.err();
  abandon();
  owner->line_ended(*this, why);
  owner->answer(std::move(done), std::move(with));
}

void http_pool::line::abandon() {
  owner_ = nullptr;
  job_.reset();
  // reader_ stays: it may be at work further down the stack.
  if (connection_) connection_->abort("no longer needed");
  connection_.reset();
}

// --- the pool's insides -----------------------------------------------------------------------------------------------

void http_pool::core::submit(job j) {
  // Answered on the pool's thread like all others, and not within send(): the caller may hold a lock.
  j.refused = ++outstanding_ > options_.outstanding_max;
  std::unique_lock lock(mutex_);
  if (closed_) {
    lock.unlock();
    return answer(std::move(j), ended());
  }
  const bool first = inbox_.empty();
  inbox_.push_back(std::move(j));
  lock.unlock();
  if (first) loop_->post([this] { take_inbox(); });
}

void http_pool::core::take_inbox() {
  std::vector<job> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(inbox_);
  }
  for (auto& j : taken) {
    if (!j.refused) queue_.push_back(std::move(j));
    else
      answer(std::move(j), fail(errc::busy, "more than " + std::to_string(options_.outstanding_max) +
                                                " requests wait for an answer of " + options_.server.text()));
  }
  serve_queue();
  arm_sweep();
}

void http_pool::core::answer(job j, result<http_response> with) {
  --outstanding_;
  j.on_answer(std::move(with));
}

void http_pool::core::serve_queue() {
  while (!queue_.empty() && !idle_.empty()) {
    auto* l = idle_.back();
    idle_.pop_back();
    auto next = std::move(queue_.front());
    queue_.pop_front();
    l->begin(std::move(next));
  }
  while (queue_.size() > dialing_ && lines_.size() + dialing_ < options_.connections_max) dial();
}

void http_pool::core::dial() {
  ++dialing_;
  dial_link(
      *loop_, options_.server, options_.tls, options_.dial_timeout,
      [this](std::shared_ptr<connection> c) -> std::shared_ptr<connection_handler> {
        --dialing_;
        auto made = std::make_shared<line>(*this, std::move(c));
        lines_.insert(made);
        // Not from within the handshake: whoever answers may want to write on it.
        loop_->post([this, made] {
          if (lines_.count(made) > 0) line_idle(*made);
        });
        return made;
      },
      [this](const error& why) { dial_failed(why); });
}

void http_pool::core::dial_failed(const error& why) {
  --dialing_;
  // While others get through, what waits will be served by them.
  if (!lines_.empty() || dialing_ > 0) return;
  std::deque<job> all;
  all.swap(queue_);
  for (auto& j : all) answer(std::move(j), why);
}

void http_pool::core::line_idle(line& l) {
  idle_.push_back(&l);
  serve_queue();
}

void http_pool::core::line_ended(line& l, const error&) {
  std::erase(idle_, &l);
  for (auto it = streams_.begin(); it != streams_.end(); ++it)
    if (it->second.get() == &l) {
      streams_.erase(it);
      return;
    }
  lines_.erase(l.shared_from_this());
  serve_queue();
}

http_pool::stream_id http_pool::core::open(pool_request request, stream_handlers handlers) {
  const stream_id id = next_stream_++;
  loop_->post(
      [this, id, r = std::make_shared<pool_request>(std::move(request)),
       h = std::make_shared<stream_handlers>(std::move(handlers))] { start_stream(id, std::move(*r), std::move(*h)); });
  return id;
}

void http_pool::core::start_stream(stream_id id, pool_request request, stream_handlers handlers) {
  ++outstanding_;
  const auto deadline = clock::now() + request.timeout;
  auto made = std::make_shared<line>(
      *this, job{.request = std::move(request), .on_answer = std::move(handlers.on_end), .deadline = deadline},
      std::move(handlers.on_data));
  streams_[id] = made;
  arm_sweep();
  dial_link(
      *loop_, options_.server, options_.tls, options_.dial_timeout,
      [this, id, made](std::shared_ptr<connection> c) -> std::shared_ptr<connection_handler> {
        if (streams_.count(id) == 0) return nullptr;
        made->connected(std::move(c));
        loop_->post([this, id, made] {
          if (streams_.count(id) > 0) made->ask();
        });
        return made;
      },
      [this, id, made](const error& why) {
        if (streams_.count(id) > 0) made->fail_job(why);
      });
}

void http_pool::core::close(stream_id id) {
  if (!on_own_thread()) return loop_->post([this, id] { close(id); });
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const auto stream = found->second;
  streams_.erase(found);
  stream->abandon();
  --outstanding_;
}

void http_pool::core::arm_sweep() {
  if (sweep_armed_ || outstanding_ == 0) return;
  sweep_armed_ = true;
  loop_->after(sweep_interval, [this] { sweep(); });
}

void http_pool::core::sweep() {
  sweep_armed_ = false;
  const auto now = clock::now();
  std::vector<std::shared_ptr<line>> all(lines_.begin(), lines_.end());
  for (const auto& [id, stream] : streams_) all.push_back(stream);
  for (const auto& l : all) l->check(now);
  std::vector<job> overdue;
  std::deque<job> rest;
  for (auto& j : queue_) {
    if (now >= j.deadline) overdue.push_back(std::move(j));
    else rest.push_back(std::move(j));
  }
  queue_ = std::move(rest);
  for (auto& j : overdue) {
    const auto why = late(j);
    answer(std::move(j), why);
  }
  arm_sweep();
}

void http_pool::core::shut_down() {
  WH_ASSERT(!on_own_thread());
  loop_->stop();
  // From here on nothing runs but us.
  std::vector<job> open;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    open.swap(inbox_);
  }
  for (auto& j : queue_) open.push_back(std::move(j));
  queue_.clear();
  for (auto& j : open) answer(std::move(j), ended());
  const auto lines = std::exchange(lines_, {});
  const auto streams = std::exchange(streams_, {});
  for (const auto& l : lines)
    if (l->busy()) l->fail_job(ended());
  for (const auto& [id, stream] : streams) stream->fail_job(ended());
}

// --- the pool ---------------------------------------------------------------------------------------------------------

http_pool::http_pool(http_pool_options options) : core_(std::make_unique<core>(std::move(options))) {}
http_pool::~http_pool() { core_->shut_down(); }

void http_pool::send(pool_request request, answer_function on_answer) {
  const auto deadline = clock::now() + request.timeout;
  core_->submit({.request = std::move(request), .on_answer = std::move(on_answer), .deadline = deadline});
}

http_pool::stream_id http_pool::open_stream(pool_request request, stream_handlers handlers) {
  return core_->open(std::move(request), std::move(handlers));
}

void http_pool::close_stream(stream_id id) { core_->close(id); }
void http_pool::after(duration d, std::function<void()> f) { core_->loop().after(d, std::move(f)); }
void http_pool::post(std::function<void()> f) { core_->loop().post(std::move(f)); }
std::size_t http_pool::outstanding() const { return core_->outstanding(); }
bool http_pool::on_own_thread() const { return core_->on_own_thread(); }

}  // namespace wh
