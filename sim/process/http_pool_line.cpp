#include "sim/process/http_pool_core.hpp"

namespace wh {
namespace {

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

error late(const pool_request& request) {
  return fail(errc::timeout, request.method + " " + request.target + ": no answer within " +
                                 std::to_string(request.timeout.count() / 1000) + " ms");
}

void http_pool::line::check(clock::time_point now) {
  if (job_ && now >= job_->deadline) fail_job(late(job_->request));
}

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
  idle_since_ = clock::now();
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
  if (owner) owner->line_ended(*this);
}

void http_pool::line::finish(result<http_response> with) {
  const auto self = shared_from_this();
  const auto owner = owner_;
  auto done = std::move(*job_);
  abandon();
  owner->line_ended(*this);
  owner->answer(std::move(done), std::move(with));
}

void http_pool::line::abandon() {
  owner_ = nullptr;
  job_.reset();
  // reader_ stays: it may be at work further down the stack.
  if (connection_) connection_->abort("no longer needed");
  connection_.reset();
}

}  // namespace wh
