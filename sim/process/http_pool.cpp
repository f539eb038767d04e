#include "sim/process/http_pool.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "sim/process/http_pool_core.hpp"

namespace wh {
namespace {

using clock = std::chrono::steady_clock;

/// How exactly deadlines are kept.
constexpr duration sweep_interval = std::chrono::milliseconds(50);

error ended() { return fail(errc::unavailable, "the client has been closed"); }

}  // namespace

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
  if (abandoned_) return fail_queue(ended());
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
    if (l->stale(clock::now())) {
      const auto held = l->shared_from_this();
      lines_.erase(held);
      held->abandon();
      continue;
    }
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
  fail_queue(why);
}

void http_pool::core::fail_queue(const error& why) {
  for (auto& j : std::exchange(queue_, {})) answer(std::move(j), why);
}

void http_pool::core::line_idle(line& l) {
  idle_.push_back(&l);
  serve_queue();
}

void http_pool::core::line_ended(line& l) {
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
  if (abandoned_) return made->fail_job(ended());
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
  fail_overdue(now);
  arm_sweep();
}

void http_pool::core::fail_overdue(clock::time_point now) {
  const auto is_overdue = [&](const job& j) { return now >= j.deadline; };
  if (std::none_of(queue_.begin(), queue_.end(), is_overdue)) return;
  std::vector<job> overdue;
  std::deque<job> rest;
  for (auto& j : queue_) {
    if (is_overdue(j)) overdue.push_back(std::move(j));
    else rest.push_back(std::move(j));
  }
  queue_ = std::move(rest);
  for (auto& j : overdue) {
    const auto why = late(j.request);
    answer(std::move(j), why);
  }
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
  fail_lines(ended());
}

void http_pool::core::fail_lines(const error& why) {
  const auto lines = std::exchange(lines_, {});
  const auto streams = std::exchange(streams_, {});
  idle_.clear();
  for (const auto& l : lines) l->busy() ? l->fail_job(why) : l->abandon();
  for (const auto& [id, stream] : streams) stream->fail_job(why);
}

void http_pool::core::abandon() {
  loop_->post([this] {
    abandoned_ = true;
    fail_queue(ended());
    fail_lines(ended());
  });
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
void http_pool::abandon() { core_->abandon(); }
std::size_t http_pool::outstanding() const { return core_->outstanding(); }
bool http_pool::on_own_thread() const { return core_->on_own_thread(); }

}  // namespace wh
