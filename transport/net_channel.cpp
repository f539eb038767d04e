// The channel's life: start, phases, deadlines, end. Moving bytes is in net_channel_io.cpp.
#include "transport/net_channel.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace wh {
namespace {

constexpr auto flush_patience = std::chrono::seconds(10);
constexpr auto linger_time = std::chrono::seconds(2);

}  // namespace

void tls_channel::start(const std::shared_ptr<loop_core>& core, result<port_ptr> port, tls_context_ptr tls,
                        const channel_options& options, ready_function ready, failed_function failed, counter live) {
  auto channel = std::make_shared<tls_channel>(core, options, std::move(live));
  channel->outcome_ = std::make_unique<outcome>(outcome{std::move(ready), std::move(failed)});
  if (!channel->settle(core)) return channel->loop_stopped();
  channel->begin(std::move(port), std::move(tls));
}

tls_channel::tls_channel(const std::shared_ptr<loop_core>& core, const channel_options& options, counter live)
    : options_(options), live_(std::move(live)) {
  parts_.emplace(parts{core, loop_strand(core->io.get_executor()), nullptr, nullptr});
}

tls_channel::~tls_channel() {
  if (live_) --*live_;
}

void tls_channel::begin(result<port_ptr> port, tls_context_ptr tls) {
  const std::lock_guard lock(mutex_);
  if (!parts_) return;
  if (!port) return asio::post(parts_->strand, [me = self(), why = port.err()] { me->finish(why); });
  parts_->port = std::move(*port);
  peer_.remote_address = parts_->port->remote();
  tls_ = std::make_unique<tls_stream>(std::move(tls), *parts_->port);
  asio::post(parts_->strand, [me = self()] {
    me->phase_deadline_ = clock::now() + me->options_.handshake_timeout;
    me->arm_timer();
    me->pump_behind();
  });
}

void tls_channel::shake_hands() {
  switch (tls_->handshake()) {
    case io_status::done: return become_open();
    case io_status::want_read: want_read_ = true; return;
    case io_status::want_write: want_write_ = true; return;
    default: break;
  }
  ending_ = tls_->failure();
  if (auto claimed = tls_->refused_client(); claimed && parts_->core->tell_refused)
    parts_->core->tell_refused(
        {.claimed = std::move(*claimed), .remote = peer_.remote_address, .why = ending_.message});
  // The port lingers, so that our alert reaches the peer.
  linger(clock::now() + linger_time);
}

void tls_channel::become_open() {
  auto who = tls_->identity(peer_.remote_address);
  if (!who) return finish(who.err());
  peer_ = std::move(*who);
  tls_->forget_handshake();
  phase_ = phase::open;
  phase_deadline_ = clock::time_point::max();
  if (user_deadline_ == clock::time_point::max()) {
    // An idle link needs no timer; HTTP sets its deadlines and gets one again.
    parts_->timer.reset();
    timer_set_for_ = clock::time_point::max();
  }
  const auto told = std::move(outcome_);
  try {
    handler_ = told->ready(self());
  } catch (const std::exception& e) {
    spdlog::error("connection {}: accepting it threw: {}", peer_.remote_address, e.what());
  }
  if (!handler_) finish(fail(errc::unavailable, "not accepted"));
}

void tls_channel::begin_flush() {
  phase_ = phase::flushing;
  paused_ = false;
  user_deadline_ = clock::time_point::max();
  phase_deadline_ = clock::now() + flush_patience;
  ending_ = fail(errc::unavailable, "closed by this side");
}

void tls_channel::say_goodbye() {
  switch (tls_->shutdown()) {
    case io_status::want_write: want_write_ = true; return;
    case io_status::done: return linger(clock::now() + linger_time);
    default: return finish(ending_);
  }
}

void tls_channel::linger(clock::time_point until) {
  phase_ = phase::lingering;
  phase_deadline_ = until;
  parts_->port->shut_sending();
  tls_.reset();
  // For its user the connection ends here: waiting for the peer's end is between the kernels.
  tell_closed(ending_);
}

void tls_channel::release_port() {
  parts_->timer.reset();
  if (parts_->port) parts_->port->close();
  tls_.reset();
  if (live_) --*std::exchange(live_, nullptr);
}

void tls_channel::finish(error why) {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  release_port();
  tell_closed(why);
}

void tls_channel::tell_closed(const error& why) {
  std::vector<shared_bytes> dropped;
  {
    const std::lock_guard lock(mutex_);
    dead_ = true;
    dropped.swap(queue_);
    queued_bytes_ = head_ = head_offset_ = 0;
  }
  const auto handler = std::exchange(handler_, nullptr);
  const auto told = std::move(outcome_);
  try {
    if (handler) handler->on_closed(why);
    if (told) told->failed(why);
  } catch (const std::exception& e) {
    spdlog::error("connection {}: its handler threw on closing: {}", peer_.remote_address, e.what());
  }
}

void tls_channel::close() {
  mute_ = true;
  const std::lock_guard lock(mutex_);
  if (dead_ || close_requested_ || !parts_) return;
  close_requested_ = true;
  asio::post(parts_->strand, [me = self()] { me->pump(); });
}

void tls_channel::abort(std::string reason) {
  mute_ = true;
  const std::lock_guard lock(mutex_);
  if (dead_ || !parts_) return;
  asio::post(parts_->strand, [me = self(), reason = std::move(reason)]() mutable {
    if (me->phase_ == phase::closed) return;
    // A reset frees what is on its way at once, which is the point of aborting a peer that does not read.
    if (me->parts_->port) me->parts_->port->reset();
    me->finish(fail(errc::unavailable, std::move(reason)));
  });
}

void tls_channel::post(std::function<void()> f) {
  const std::lock_guard lock(mutex_);
  if (parts_) asio::post(parts_->strand, [me = self(), f = std::move(f)] { f(); });
}

void tls_channel::set_deadline(duration d, const char* reason) {
  user_deadline_ = d == duration::zero() ? clock::time_point::max() : clock::now() + d;
  user_reason_ = reason;
  if (phase_ != phase::closed) arm_timer();
}

void tls_channel::arm_timer() {
  const auto next = std::min({phase_deadline_, stall_deadline_, user_deadline_});
  // A timer that fires too early finds nothing due and is set again: cheaper than moving it on every byte.
  if (next >= timer_set_for_ || next == clock::time_point::max()) return;
  timer_set_for_ = next;
  if (!parts_->timer) parts_->timer = std::make_unique<loop_timer>(parts_->core->io);
  parts_->timer->expires_at(next);
  parts_->timer->async_wait(asio::bind_executor(parts_->strand, [me = self()](const asio_error& ec) {
    if (ec || me->phase_ == phase::closed) return;
    me->timer_set_for_ = clock::time_point::max();
    me->check_deadlines();
    if (me->phase_ != phase::closed) me->arm_timer();
  }));
}

void tls_channel::check_deadlines() {
  const auto now = clock::now();
  const auto seconds = [](duration d) { return human_duration(d); };
  if (now >= user_deadline_) return finish(fail(errc::timeout, user_reason_));
  if (now >= stall_deadline_)
    return finish(fail(errc::timeout, "the peer took no byte for " + seconds(options_.write_timeout)));
  if (now < phase_deadline_) return;
  if (phase_ == phase::handshaking)
    return finish(fail(errc::timeout, "TLS: handshake not finished within " + seconds(options_.handshake_timeout)));
  finish(ending_);
}

void tls_channel::loop_stopped() {
  std::optional<parts> gone;
  {
    const std::lock_guard lock(mutex_);
    dead_ = true;
    gone.swap(parts_);
    queue_.clear();
    tls_.reset();
  }
  if (auto* listener = dynamic_cast<loop_end_listener*>(handler_.get())) listener->loop_ended();
  handler_.reset();
  outcome_.reset();
}

}  // namespace wh
