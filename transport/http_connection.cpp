#include "transport/http_connection.hpp"

#include <spdlog/spdlog.h>

namespace wh {
namespace {

// A client may send its next requests early; what it sends beyond this waits in its own kernel.
constexpr std::size_t pipelined_bytes_max = 64 * 1024;

// An answer counts as taken when no more of it is left: small ones need not wait for the kernel.
constexpr std::size_t untaken_bytes_max = 64 * 1024;

}  // namespace

tls_context_ptr http_server_core::tls() {
  const std::lock_guard lock(mutex_);
  return tls_;
}

void http_server_core::set_tls(tls_context_ptr context) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(context);
}

void http_server_core::add(const std::shared_ptr<http_connection>& connection) {
  const std::lock_guard lock(mutex_);
  connections_.emplace(connection.get(), connection);
}

void http_server_core::remove(const http_connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  removed_.notify_all();
}

std::vector<std::shared_ptr<http_connection>> http_server_core::connections() {
  std::vector<std::shared_ptr<http_connection>> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, connection] : connections_)
    if (auto alive = connection.lock()) all.push_back(std::move(alive));
  return all;
}

bool http_server_core::wait_empty(duration d) {
  std::unique_lock lock(mutex_);
  return removed_.wait_for(lock, d, [this] { return connections_.empty(); });
}

http_connection::http_connection(std::shared_ptr<http_server_core> core, std::shared_ptr<tls_channel> channel)
    : core_(std::move(core)),
      channel_(std::move(channel)),
      reader_(core_->limits.header_bytes_max, core_->limits.body_bytes_max) {}

void http_connection::begin() { await(waiting::first_header); }

void http_connection::on_bytes(std::string_view bytes) {
  if (ended_) return;
  reader_.append(bytes);
  if (!busy_) return serve();
  if (reader_.buffered() > pipelined_bytes_max) channel_->pause_reading(true);
}

void http_connection::serve() {
  while (!busy_ && !ended_) {
    switch (reader_.advance()) {
      case http_request_reader::outcome::complete: dispatch(); break;
      case http_request_reader::outcome::refused: refuse(); break;
      case http_request_reader::outcome::need_more:
        if (reader_.take_continue()) channel_->write("HTTP/1.1 100 Continue\r\n\r\n");
        if (reader_.begun()) await(reader_.in_body() ? waiting::body : waiting::header);
        else if (waiting_ != waiting::first_header) await(waiting::idle);
        return;
    }
  }
}

void http_connection::await(waiting what) {
  // The deadline of a stage runs from its begin: a client that sends one byte a second gains nothing by it.
  if (what == waiting_ || (what == waiting::header && waiting_ == waiting::first_header)) return;
  waiting_ = what;
  const auto& limits = core_->limits;
  switch (what) {
    case waiting::nothing: return channel_->set_deadline(duration::zero());
    case waiting::first_header:
    case waiting::header: return channel_->set_deadline(limits.header_timeout, "no complete request header in time");
    case waiting::body: return channel_->set_deadline(limits.idle_timeout, "no complete request body in time");
    case waiting::idle: return channel_->set_deadline(limits.idle_timeout, "idle for too long");
  }
}

void http_connection::dispatch() {
  await(waiting::nothing);
  const bool keep_alive = reader_.keep_alive() && !core_->draining;
  const bool http10 = reader_.is_http10();
  auto request = reader_.take();
  request.peer = channel_->peer();
  busy_ = true;
  const auto answer = std::make_shared<exchange>(shared_from_this(), channel_,
                                                 answer_form{request.method == "HEAD", http10, keep_alive});
  current_ = answer;
  try {
    // A closed gate leaves the exchange unanswered, so its destructor answers.
    core_->gate.pass([&] { core_->handler(std::move(request), answer); });
  } catch (const std::exception& e) {
    spdlog::error("HTTP request from {}: its handler threw: {}", channel_->peer().remote_address, e.what());
  }
}

std::string http_connection::error_body(int status, const std::string& message) {
  std::string body;
  core_->gate.pass([&] {
    if (core_->on_bad_request) body = core_->on_bad_request(status, message);
  });
  return body;
}

void http_connection::refuse() {
  ended_ = true;
  await(waiting::nothing);
  const auto& [status, why] = reader_.refusal();
  const std::string body = error_body(status, why);
  channel_->write(answer_head(status, {{"content-type", "application/json"}}, body_framing::sized, body.size(), {}) +
                  body);
  channel_->close();
}

void http_connection::answer_ended(bool keep_alive, std::vector<std::function<void()>> done) {
  current_.reset();
  untaken_ = {keep_alive, std::move(done)};
  if (ended_ || channel_->unsent() <= untaken_bytes_max) answer_taken();
}

void http_connection::on_drained() {
  if (untaken_) answer_taken();
}

void http_connection::answer_taken() {
  const auto answer = std::move(*untaken_);
  untaken_.reset();
  busy_ = false;
  for (const auto& f : answer.done) f();
  if (ended_) return;
  if (!answer.keep_alive || core_->draining) {
    ended_ = true;
    channel_->close();
    return;
  }
  channel_->pause_reading(false);
  serve();
}

void http_connection::drain() {
  if (ended_) return;
  if (const auto answer = current_.lock(); busy_ && answer) return answer->end_stream_for_drain();
  // A request that has begun to arrive is still answered.
  if (busy_ || reader_.begun()) return;
  ended_ = true;
  channel_->close();
}

void http_connection::loop_ended() {
  ended_ = true;
  core_->remove(this);
  untaken_.reset();
  if (const auto answer = current_.lock()) answer->forget();
}

void http_connection::on_closed(const error&) {
  ended_ = true;
  core_->remove(this);
  if (const auto answer = current_.lock()) answer->client_gone();
  if (untaken_) answer_taken();
}

}  // namespace wh
