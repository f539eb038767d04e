#include "apiserver/fair_server.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <thread>

#include "apiserver/fair_lines.hpp"
#include "apiserver/status.hpp"
#include "base/bytes.hpp"

namespace wh {

namespace {

constexpr int retry_after_s = 1;

// Smaller answers go to the kernel at once, or nearly.
constexpr std::size_t unread_bytes_from = 64 * 1024;

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

using fair::line_ptr, fair::lines, fair::user_line;

/// A request that runs; is answered once.
struct running_slot {
  running_slot(std::shared_ptr<lines> l, line_ptr u) : in(std::move(l)), user(std::move(u)) {}
  ~running_slot() { answered(0); }
  running_slot(const running_slot&) = delete;
  running_slot& operator=(const running_slot&) = delete;
  bool answered(std::size_t bytes) {
    const bool first = !done.exchange(true);
    if (first) in->answered(user, bytes);
    return first;
  }
  const std::shared_ptr<lines> in;
  const line_ptr user;
  std::atomic<bool> done = false;
};

class slot_reply final : public api_reply {
 public:
  slot_reply(std::shared_ptr<api_reply> to, std::shared_ptr<lines> in, line_ptr user)
      : to_(std::move(to)), slot_(std::move(in), std::move(user)) {}
  void respond(api_response r) override {
    // Its size before compression: what it costs to hold, within a small factor.
    const auto bytes = r.body && r.body->size() >= unread_bytes_from ? r.body->size() : 0;
    if (slot_.answered(bytes) && bytes > 0)
      to_->on_done([in = slot_.in, user = slot_.user, bytes] { in->taken_by_client(user, bytes); });
    to_->respond(std::move(r));
  }
  void start_stream(int status, std::map<std::string, std::string> headers) override {
    slot_.answered(0);
    to_->start_stream(status, std::move(headers));
  }
  void write(shared_bytes chunk) override { to_->write(std::move(chunk)); }
  void finish() override { to_->finish(); }
  std::size_t unsent() const override { return to_->unsent(); }
  bool alive() const override { return to_->alive(); }
  void on_done(std::function<void()> f) override { to_->on_done(std::move(f)); }
  bool answered() const { return slot_.done; }

 private:
  const std::shared_ptr<api_reply> to_;
  running_slot slot_;
};

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
  fair_figures figures() const override { return lines_->figures(); }

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
    auto reply = std::make_shared<slot_reply>(next.reply, lines_, user);
    if (!next.reply->alive()) return;  // its client has given up
    if (lines_->second_thought(user, now_() - next.since)) return reply->respond(refusal(too_many()));
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
