// The channel's life: start, phases, deadlines, end. Moving bytes is in net_channel_io.cpp.
#include "transport/net_channel.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>

namespace wh {
namespace {

constexpr auto flush_patience = std::chrono::seconds(10);
constexpr auto linger_time = std::chrono::seconds(2);

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

}  // namespace

void tls_channel::start(const std::shared_ptr<loop_core>& core, int fd, tls_context_ptr tls,
                        const channel_options& options, ready_function ready, failed_function failed, counter live) {
  auto channel = std::make_shared<tls_channel>(core, options, std::move(live));
  channel->ready_ = std::move(ready);
  channel->failed_ = std::move(failed);
  if (!channel->settle(core)) {
    ::close(fd);
    channel->loop_stopped();
    return;
  }
  channel->begin(fd, std::move(tls));
}

tls_channel::tls_channel(const std::shared_ptr<loop_core>& core, const channel_options& options, counter live)
    : options_(options), live_(std::move(live)) {
  const auto executor = core->io.get_executor();
  parts_.emplace(parts{core, loop_strand(executor), socket_type(executor), nullptr});
}

tls_channel::~tls_channel() {
  if (live_) --*live_;
}

void tls_channel::begin(int fd, tls_context_ptr tls) {
  tune_socket(fd);
  peer_.remote_address = remote_address(fd);
  asio_error ec;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  const bool v6 = address.ss_family == AF_INET6;
  const std::lock_guard lock(mutex_);
  if (!parts_) {
    ::close(fd);
    return;
  }
  parts_->socket.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd, ec);
  if (ec) {
    ::close(fd);
    asio::post(parts_->strand,
               [me = self(), ec] { me->finish(fail(errc::io, "cannot watch a socket: " + ec.message())); });
    return;
  }
  tls_ = std::make_unique<tls_stream>(std::move(tls), fd);
  asio::post(parts_->strand, [me = self()] {
    me->phase_deadline_ = clock::now() + me->options_.handshake_timeout;
    me->pump();
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
  // The socket lingers, so that our alert reaches the peer.
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
  const auto ready = std::exchange(ready_, nullptr);
  failed_ = nullptr;
  try {
    handler_ = ready(self());
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
  asio_error ignored;
  parts_->socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  tls_.reset();
  // For its user the connection ends here: waiting for the peer's end is between the kernels.
  tell_closed(ending_);
}

void tls_channel::release_socket() {
  asio_error ignored;
  parts_->timer.reset();
  parts_->socket.close(ignored);
  tls_.reset();
  if (live_) --*std::exchange(live_, nullptr);
}

void tls_channel::finish(error why) {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  release_socket();
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
  const auto failed = std::exchange(failed_, nullptr);
  ready_ = nullptr;
  try {
    if (handler) handler->on_closed(why);
    if (failed) failed(why);
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
    // A reset frees the kernel's buffers at once, which is the point of aborting a peer that does not read.
    asio_error ignored;
    me->parts_->socket.set_option(asio::socket_base::linger(true, 0), ignored);
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
  ready_ = nullptr;
  failed_ = nullptr;
}

std::string remote_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return host_port{text.data(), ntohs(v4->sin_port)}.text();
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
  inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return host_port{text.data(), ntohs(v6->sin6_port)}.text();
}

void tune_socket(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 120000);
}

}  // namespace wh
