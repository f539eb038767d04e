#include "transport/http_connection.hpp"

namespace wh {
namespace {

const shared_bytes& line_end() {
  static const shared_bytes bytes = share("\r\n");
  return bytes;
}

bool asks_to_close(const std::map<std::string, std::string>& headers) {
  for (const auto& [name, value] : headers)
    if (lower_case(name) == "connection" && lower_case(value) == "close") return true;
  return false;
}

}  // namespace

exchange::exchange(std::shared_ptr<http_connection> connection, std::shared_ptr<tls_channel> channel, answer_form form)
    : connection_(std::move(connection)), channel_(std::move(channel)), form_(form) {}

exchange::~exchange() {
  // Whoever was to answer has let go of it (it threw, was restarted, forgot): the client must not wait for ever, and
  // half an answer must not look whole.
  if (stage_ == stage::fresh)
    send({.status = 500,
          .headers = {{"content-type", "application/json"}},
          .body = share(connection_->error_body(500, "the request was dropped"))});
  else if (stage_ == stage::streaming) abort();
  if (!on_done_.empty())
    channel_->post([done = std::move(on_done_)] {
      for (const auto& f : done) f();
    });
}

void exchange::send(http_response response) {
  const std::lock_guard lock(mutex_);
  if (stage_ != stage::fresh) return;
  const std::size_t n = response.body ? response.body->size() : 0;
  if (asks_to_close(response.headers)) form_.keep_alive = false;
  const shared_bytes pieces[] = {share(answer_head(response.status, response.headers, body_framing::sized, n, form_)),
                                 n > 0 ? std::move(response.body) : line_end()};
  const bool with_body = n > 0 && !form_.head && !bodiless(response.status);
  channel_->write_pieces(std::span(pieces, with_body ? 2 : 1));
  finish_locked();
}

void exchange::start(int status, std::map<std::string, std::string> headers) {
  const std::lock_guard lock(mutex_);
  if (stage_ != stage::fresh) return;
  stage_ = stage::streaming;
  framing_ = form_.http10 ? body_framing::until_close : body_framing::chunked;
  if (bodiless(status)) framing_ = body_framing::sized;
  if (form_.http10 || asks_to_close(headers)) form_.keep_alive = false;
  channel_->write(answer_head(status, headers, framing_, 0, form_));
}

void exchange::write_chunk(shared_bytes bytes) {
  const std::lock_guard lock(mutex_);
  // An empty chunk would end the body.
  if (stage_ != stage::streaming || !bytes || bytes->empty() || form_.head || framing_ == body_framing::sized) return;
  if (framing_ == body_framing::until_close) return channel_->write_pieces({&bytes, 1}, tls_channel::haste::behind);
  const shared_bytes pieces[] = {share(chunk_head(bytes->size())), std::move(bytes), line_end()};
  channel_->write_pieces(pieces, tls_channel::haste::behind);
}

void exchange::end() {
  const std::lock_guard lock(mutex_);
  end_locked();
}

void exchange::end_locked() {
  if (stage_ != stage::streaming) return;
  static const shared_bytes last_chunk = share("0\r\n\r\n");
  if (framing_ == body_framing::chunked && !form_.head) channel_->write_pieces({&last_chunk, 1});
  finish_locked();
}

void exchange::finish_locked() {
  stage_ = stage::done;
  channel_->post([connection = connection_, keep_alive = form_.keep_alive, done = std::exchange(on_done_, {})] {
    connection->answer_ended(keep_alive, done);
  });
}

std::size_t exchange::unsent() const { return channel_->unsent(); }

void exchange::on_done(std::function<void()> f) {
  {
    const std::lock_guard lock(mutex_);
    if (stage_ != stage::done) {
      on_done_.push_back(std::move(f));
      return;
    }
  }
  f();
}

bool exchange::alive() const {
  const std::lock_guard lock(mutex_);
  return stage_ != stage::done;
}

void exchange::abort() { channel_->abort("answer aborted"); }

void exchange::client_gone() {
  callbacks done;
  {
    const std::lock_guard lock(mutex_);
    stage_ = stage::done;
    done = std::exchange(on_done_, {});
  }
  for (const auto& f : done) f();
}

void exchange::forget() {
  callbacks dropped;
  const std::lock_guard lock(mutex_);
  stage_ = stage::done;
  dropped.swap(on_done_);
}

void exchange::end_stream_for_drain() {
  const std::lock_guard lock(mutex_);
  form_.keep_alive = false;
  end_locked();
}

}  // namespace wh
