#include "apiserver/fair_server.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "apiserver/status.hpp"
#include "base/bytes.hpp"

namespace wh {

namespace {

constexpr int retry_after_s = 1;

api_response refusal(const api_error& why) {
  const auto text = status_document(why).dump(-1, ' ', false, document::error_handler_t::replace);
  return {why.code,
          {{"Content-Type", "application/json"},
           {"Cache-Control", "no-cache, private"},
           {"Retry-After", std::to_string(retry_after_s)}},
          share(text)};
}

api_error too_many() {
  return {429, "TooManyRequests", "Too many requests, please try again later.", {{"retryAfterSeconds", retry_after_s}}};
}

bool is_health_check(std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  return path == "/healthz" || path == "/livez" || path == "/readyz";
}

/// Requests of one user.
struct user_line {
  struct waiting {
    api_request request;
    std::shared_ptr<api_reply> reply;
    instant since;
  };
  std::string name;
  std::deque<waiting> requests;
  std::size_t running = 0;
  bool in_turn = false;  ///< is in the list of those who have something to do
};
using line_ptr = std::shared_ptr<user_line>;

/// A request that runs; ends once.
struct running_slot {
  explicit running_slot(std::function<void()> f) : end(std::move(f)) {}
  ~running_slot() { release(); }
  running_slot(const running_slot&) = delete;
  running_slot& operator=(const running_slot&) = delete;
  void release() {
    if (!ended.exchange(true)) end();
  }
  std::function<void()> end;
  std::atomic<bool> ended = false;
};

class slot_reply final : public api_reply {
 public:
  slot_reply(std::shared_ptr<api_reply> to, std::function<void()> end) : to_(std::move(to)), slot_(std::move(end)) {}
  void respond(api_response r) override {
    slot_.release();
    to_->respond(std::move(r));
  }
  void start_stream(int status, std::map<std::string, std::string> headers) override {
    slot_.release();
    to_->start_stream(status, std::move(headers));
  }
  void write(shared_bytes chunk) override { to_->write(std::move(chunk)); }
  void finish() override { to_->finish(); }
  std::size_t unsent() const override { return to_->unsent(); }
  bool alive() const override { return to_->alive(); }
  void on_done(std::function<void()> f) override { to_->on_done(std::move(f)); }
  bool answered() const { return slot_.ended; }

 private:
  const std::shared_ptr<api_reply> to_;
  running_slot slot_;
};

/// Who is in line; shared with requests that run, which may end after the server.
struct lines {
  explicit lines(const fair_limits& l) : limits(l) {}
  const fair_limits limits;
  std::mutex mutex;  ///< guards what follows
  std::condition_variable work;
  std::unordered_map<std::string, line_ptr> users;
  std::list<line_ptr> turns;  ///< users with requests that wait, in the order of their turns
  std::size_t running = 0, waiting = 0, waiting_bytes = 0;
  std::uint64_t refused = 0;
  bool stopping = false;

  bool add(const std::string& user, user_line::waiting& request);
  /// The next request, its user moved to the end of the turns; null if none may run now.
  line_ptr take(user_line::waiting& out);
  void ended(const line_ptr& user);
  void forget_if_idle(const line_ptr& user) {
    if (user->requests.empty() && user->running == 0) users.erase(user->name);
  }
};

bool lines::add(const std::string& user, user_line::waiting& request) {
  const std::lock_guard lock(mutex);
  auto& line = users[user];
  if (!line) line = std::make_shared<user_line>(user_line{.name = user, .requests = {}});
  const auto bytes = request.request.body.size();
  if (line->requests.size() >= limits.user_waiting_max || waiting_bytes + bytes > limits.waiting_bytes_max) {
    ++refused;
    forget_if_idle(line_ptr(line));
    return false;
  }
  line->requests.push_back(std::move(request));
  ++waiting;
  waiting_bytes += bytes;
  if (!std::exchange(line->in_turn, true)) turns.push_back(line);
  work.notify_one();
  return true;
}

line_ptr lines::take(user_line::waiting& out) {
  if (running >= limits.running_max) return nullptr;
  for (auto it = turns.begin(); it != turns.end(); ++it) {
    if ((*it)->running >= limits.user_running_max) continue;
    auto user = *it;
    turns.erase(it);
    out = std::move(user->requests.front());
    user->requests.pop_front();
    if (user->requests.empty()) user->in_turn = false;
    else turns.push_back(user);
    --waiting;
    waiting_bytes -= out.request.body.size();
    ++running;
    ++user->running;
    return user;
  }
  return nullptr;
}

void lines::ended(const line_ptr& user) {
  const std::lock_guard lock(mutex);
  --running;
  --user->running;
  forget_if_idle(user);
  if (waiting > 0) work.notify_one();
}

class server final : public fair_server {
 public:
  server(api_server& behind, const fair_limits& limits, std::function<instant()> now)
      : behind_(behind), now_(std::move(now)), lines_(std::make_shared<lines>(limits)) {
    for (unsigned i = 0; i < std::max(1U, limits.threads); ++i) threads_.emplace_back([this] { run(); });
  }
  ~server() override {
    {
      const std::lock_guard lock(lines_->mutex);
      lines_->stopping = true;
    }
    lines_->work.notify_all();
    for (auto& thread : threads_) thread.join();
    for (const auto& user : lines_->turns)
      for (const auto& request : user->requests)
        request.reply->respond(refusal(unavailable("the server is shutting down")));
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  void handle(api_request request, std::shared_ptr<api_reply> reply) override {
    if (is_health_check(request.target)) return behind_.handle(std::move(request), std::move(reply));
    const auto user = user_of(request);
    user_line::waiting waiting{std::move(request), reply, now_()};
    if (!lines_->add(user, waiting)) reply->respond(refusal(too_many()));
  }
  void drain() override { behind_.drain(); }
  std::vector<request_count> counts() const override { return behind_.counts(); }
  fair_figures figures() const override {
    const std::lock_guard lock(lines_->mutex);
    return {lines_->running, lines_->waiting, lines_->refused};
  }

 private:
  static std::string user_of(const api_request& r) {
    if (!r.user.name.empty()) return "user " + r.user.name;
    if (!r.bearer_token.empty()) return "token " + r.bearer_token;
    return "from " + r.source.substr(0, r.source.rfind(':'));
  }

  void run() {
    std::unique_lock lock(lines_->mutex);
    while (true) {
      user_line::waiting next;
      line_ptr user;
      lines_->work.wait(lock, [&] { return lines_->stopping || (user = lines_->take(next)); });
      if (!user) return;
      lock.unlock();
      serve(std::move(next), user);
      lock.lock();
    }
  }

  void serve(user_line::waiting next, const line_ptr& user) {
    auto reply = std::make_shared<slot_reply>(next.reply, [l = lines_, user] { l->ended(user); });
    if (!next.reply->alive()) return;  // its client has given up
    if (now_() - next.since > lines_->limits.wait_max) {
      {
        const std::lock_guard lock(lines_->mutex);
        ++lines_->refused;
      }
      return reply->respond(refusal(too_many()));
    }
    try {
      behind_.handle(std::move(next.request), reply);
    } catch (const std::exception& e) {
      spdlog::error("API request: its handler threw: {}", e.what());
      if (!reply->answered())
        reply->respond(refusal({500, "InternalError", "Internal error occurred: the request was dropped", nullptr}));
    }
  }

  api_server& behind_;
  const std::function<instant()> now_;
  const std::shared_ptr<lines> lines_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<fair_server> make_fair_server(api_server& behind, const fair_limits& limits,
                                              std::function<instant()> now) {
  return std::make_unique<server>(behind, limits, std::move(now));
}

}  // namespace wh
