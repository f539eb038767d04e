// The channel's pump: reading, writing, waiting.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transport/net_channel.hpp"

namespace wh {
namespace {

// One busy connection may not hold the thread for longer than this while others wait.
constexpr std::size_t read_budget = 256 * 1024;
constexpr std::size_t write_budget = 1024 * 1024;
constexpr std::size_t record_bytes_max = 16384;

// One per thread: no channel keeps input between two reads, and a read never begins inside another.
thread_local std::array<char, record_bytes_max> io_buffer;

}  // namespace

void tls_channel::pump() {
  if (phase_ == phase::closed) return;
  want_read_ = want_write_ = again_ = false;
  bool closing = false;
  {
    const std::lock_guard lock(mutex_);
    flush_due_ = true;
    closing = close_requested_;
  }
  if (phase_ == phase::handshaking) shake_hands();
  if (phase_ == phase::open && closing) begin_flush();
  if (phase_ == phase::open || phase_ == phase::flushing) receive();
  if (phase_ == phase::open || phase_ == phase::flushing) send_queue();
  if (phase_ == phase::lingering) discard_input();
  if (phase_ == phase::closed) return;
  arm_waits();
  arm_timer();
}

void tls_channel::receive() {
  // Nothing has come since we were told to wait: this pump is for writing.
  if (read_armed_) return;
  std::size_t total = 0;
  while (!paused_ && (phase_ == phase::open || phase_ == phase::flushing)) {
    std::size_t n = 0;
    switch (tls_->read(io_buffer.data(), io_buffer.size(), n)) {
      case io_status::done: deliver({io_buffer.data(), n}); break;
      case io_status::want_read: want_read_ = true; return;
      case io_status::want_write: want_write_ = true; return;
      case io_status::closed:
        return finish(phase_ == phase::open ? fail(errc::unavailable, "closed by the peer") : ending_);
      case io_status::failed: return finish(phase_ == phase::open ? tls_->failure() : ending_);
    }
    total += n;
    if (total >= read_budget) {
      again_ = true;
      return;
    }
  }
}

void tls_channel::deliver(std::string_view bytes) {
  if (mute_) return;
  try {
    handler_->on_bytes(bytes);
  } catch (const std::exception& e) {
    spdlog::error("connection {}: its handler threw: {}", peer_.remote_address, e.what());
    finish(fail(errc::internal, std::string("handler threw: ") + e.what()));
  }
}

std::string_view tls_channel::next_bytes(std::array<char, 16384>& scratch, shared_bytes& hold) {
  const std::lock_guard lock(mutex_);
  if (head_ == queue_.size()) {
    flush_due_ = false;
    return {};
  }
  // After EAGAIN OpenSSL wants the same bytes again and no fewer. The queue only grows, so both branches repeat
  // themselves: a large piece goes as it is, small ones are gathered into one record.
  const std::string& front = *queue_[head_];
  if (front.size() - head_offset_ >= scratch.size()) {
    hold = queue_[head_];
    return std::string_view(front).substr(head_offset_, scratch.size());
  }
  std::size_t n = 0;
  for (std::size_t i = head_, offset = head_offset_; i < queue_.size() && n < scratch.size(); ++i, offset = 0) {
    const std::size_t part = std::min(queue_[i]->size() - offset, scratch.size() - n);
    std::memcpy(scratch.data() + n, queue_[i]->data() + offset, part);
    n += part;
  }
  return {scratch.data(), n};
}

void tls_channel::consume(std::size_t n) {
  const std::lock_guard lock(mutex_);
  queued_bytes_ -= n;
  while (n > 0) {
    const std::size_t left = queue_[head_]->size() - head_offset_;
    if (n < left) {
      head_offset_ += n;
      break;
    }
    n -= left;
    queue_[head_++].reset();
    head_offset_ = 0;
  }
  if (head_ == queue_.size()) {
    head_ = 0;
    // An idle connection keeps no queue.
    std::vector<shared_bytes>().swap(queue_);
  } else if (head_ > 1024 && head_ * 2 > queue_.size()) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void tls_channel::send_queue() {
  std::size_t total = 0;
  while (true) {
    shared_bytes hold;
    const auto bytes = next_bytes(io_buffer, hold);
    if (bytes.empty()) break;
    std::size_t n = 0;
    const auto status = tls_->write(bytes, n);
    if (status == io_status::want_write || status == io_status::want_read) {
      (status == io_status::want_write ? want_write_ : want_read_) = true;
      if (options_.write_timeout > duration::zero() && stall_deadline_ == clock::time_point::max())
        stall_deadline_ = clock::now() + options_.write_timeout;
      return;
    }
    if (status != io_status::done) return finish(phase_ == phase::open ? tls_->failure() : ending_);
    consume(n);
    total += n;
    undrained_ = true;
    stall_deadline_ = clock::time_point::max();
    if (phase_ == phase::flushing) phase_deadline_ = clock::now() + std::chrono::seconds(10);
    if (total >= write_budget) {
      again_ = true;
      return;
    }
  }
  if (phase_ == phase::flushing) return say_goodbye();
  if (!handler_ || !std::exchange(undrained_, false)) return;
  try {
    handler_->on_drained();
  } catch (const std::exception& e) {
    finish(fail(errc::internal, std::string("handler threw: ") + e.what()));
  }
}

void tls_channel::discard_input() {
  for (std::size_t total = 0; total < read_budget;) {
    const ssize_t n = parts_->port->receive(io_buffer.data(), io_buffer.size());
    if (n > 0) {
      total += static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      want_read_ = true;
      return;
    }
    return finish(ending_);
  }
  again_ = true;
}

void tls_channel::arm_waits() {
  if (again_) {
    asio::post(parts_->strand, [me = self()] { me->pump(); });
    return;
  }
  if (want_read_) wait_for(readiness::readable, read_armed_);
  if (want_write_) wait_for(readiness::writable, write_armed_);
}

void tls_channel::wait_for(readiness what, bool& armed) {
  if (armed) return;
  armed = true;
  parts_->port->wait(what, parts_->strand, self());
}

void tls_channel::port_ready(readiness what, bool ok) {
  (what == readiness::readable ? read_armed_ : write_armed_) = false;
  if (!ok) return;
  if (phase_ == phase::handshaking) return pump_behind();
  pump();
}

void tls_channel::pump_behind() {
  parts_->core->post_handshake(
      [strand = parts_->strand, me = self()] { asio::dispatch(strand, [me] { me->pump(); }); });
}

void tls_channel::pause_reading(bool paused) {
  if (paused == paused_ || phase_ != phase::open) return;
  paused_ = paused;
  // OpenSSL may hold decrypted input, so the socket's readiness alone would not bring it.
  if (!paused) asio::post(parts_->strand, [me = self()] { me->pump(); });
}

void tls_channel::write(std::string bytes) {
  const shared_bytes piece = share(std::move(bytes));
  write_pieces({&piece, 1});
}

void tls_channel::write_pieces(std::span<const shared_bytes> pieces, haste how) {
  const std::lock_guard lock(mutex_);
  if (dead_ || close_requested_ || !parts_) return;
  for (const auto& piece : pieces) {
    if (piece->empty()) continue;
    queue_.push_back(piece);
    queued_bytes_ += piece->size();
  }
  if (queue_.empty() || flush_due_) return;
  flush_due_ = true;
  auto flush = [me = self()] { me->pump(); };
  if (how == haste::soon) return asio::post(parts_->strand, std::move(flush));
  parts_->core->post_behind([strand = parts_->strand, flush = std::move(flush)] { asio::dispatch(strand, flush); });
}

std::size_t tls_channel::unsent() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}

}  // namespace wh
