#include "transport/pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wh {
namespace {

/// A wait that nobody has answered yet.
struct pending_wait {
  std::optional<loop_strand> strand;
  std::shared_ptr<port_waiter> who;

  explicit operator bool() const { return who != nullptr; }

  /// Under the pipe's mutex: the other end could otherwise give the wait up, and its loop die, in between. Posting never
  /// runs anything, and what is moved into the handler is not destroyed here.
  void answer(readiness what) {
    if (!who) return;
    asio::post(*strand, [what, to = std::move(who)] { to->port_ready(what, true); });
    who = nullptr;
    strand.reset();
  }
};

/// What flows one way. Guarded by the pipe's mutex.
struct one_way {
  std::string bytes;
  std::size_t taken = 0;  ///< bytes at the front of `bytes` that were received already
  bool ended = false;     ///< the writer has shut its side
  bool unread = false;    ///< the reader has closed: nobody will take more
  pending_wait reader, writer;

  std::size_t size() const { return bytes.size() - taken; }
  // Waking a writer at half keeps the two ends from taking turns record by record.
  bool writable() const { return size() <= pipe_bytes_max / 2 || ended || unread; }
  bool readable() const { return size() > 0 || ended; }

  void put(const char* from, std::size_t n) {
    // What was received makes room before the buffer grows.
    if (taken > 0 && bytes.size() + n > bytes.capacity()) {
      bytes.erase(0, taken);
      taken = 0;
    }
    bytes.append(from, n);
  }
  void take(char* to, std::size_t n) {
    std::memcpy(to, bytes.data() + taken, n);
    taken += n;
    if (size() == 0) clear();
  }
  void clear() {
    std::string().swap(bytes);
    taken = 0;
  }
  void wake() {
    if (readable()) reader.answer(readiness::readable);
    if (writable()) writer.answer(readiness::writable);
  }
};

/// What both ends share.
struct pipe_body {
  std::mutex mutex;
  bool broken = false;  ///< reset by either end
  std::array<one_way, 2> ways;
};

int fail_with(int code) {
  errno = code;
  return -1;
}

class pipe_port final : public byte_port {
 public:
  pipe_port(std::shared_ptr<pipe_body> body, std::size_t side, std::string remote)
      : body_(std::move(body)), side_(side), remote_(std::move(remote)) {}
  ~pipe_port() override { pipe_port::close(); }

  ssize_t send(const char* bytes, std::size_t size) override;
  ssize_t receive(char* to, std::size_t size) override;
  void wait(readiness what, const loop_strand& strand, std::shared_ptr<port_waiter> who) override;
  void shut_sending() override;
  void reset() override;
  void close() override;
  std::string remote() const override { return remote_; }

 private:
  one_way& out() const { return body_->ways[side_]; }
  one_way& in() const { return body_->ways[1 - side_]; }

  std::shared_ptr<pipe_body> body_;
  const std::size_t side_;
  bool closed_ = false;
  std::string remote_;
};

ssize_t pipe_port::send(const char* bytes, std::size_t size) {
  const std::lock_guard lock(body_->mutex);
  if (body_->broken) return fail_with(ECONNRESET);
  if (out().ended || out().unread) return fail_with(EPIPE);
  const auto n = std::min(size, pipe_bytes_max - std::min(pipe_bytes_max, out().size()));
  if (n == 0) return fail_with(EAGAIN);
  out().put(bytes, n);
  out().reader.answer(readiness::readable);
  return static_cast<ssize_t>(n);
}

ssize_t pipe_port::receive(char* to, std::size_t size) {
  const std::lock_guard lock(body_->mutex);
  if (body_->broken) return fail_with(ECONNRESET);
  const auto n = std::min(size, in().size());
  if (n == 0) return in().ended ? 0 : fail_with(EAGAIN);
  in().take(to, n);
  if (in().writable()) in().writer.answer(readiness::writable);
  return static_cast<ssize_t>(n);
}

void pipe_port::wait(readiness what, const loop_strand& strand, std::shared_ptr<port_waiter> who) {
  const std::lock_guard lock(body_->mutex);
  const bool reading = what == readiness::readable;
  auto& wait = reading ? in().reader : out().writer;
  wait.strand = strand;
  wait.who = std::move(who);
  if (body_->broken || (reading ? in().readable() : out().writable())) wait.answer(what);
}

void pipe_port::shut_sending() {
  const std::lock_guard lock(body_->mutex);
  out().ended = true;
  out().wake();
}

void pipe_port::reset() {
  const std::lock_guard lock(body_->mutex);
  body_->broken = true;
  for (auto& way : body_->ways) {
    way.ended = way.unread = true;
    way.clear();
    way.wake();
  }
}

void pipe_port::close() {
  if (std::exchange(closed_, true)) return;
  // Given up after the mutex is released: a wait may hold the last reference to our own channel.
  pending_wait reading, writing;
  const std::lock_guard lock(body_->mutex);
  std::swap(reading, in().reader);
  std::swap(writing, out().writer);
  out().ended = in().unread = true;
  in().clear();
  out().wake();
  in().wake();
}

}  // namespace

pipe_ends make_pipe(std::string near_address, std::string far_address) {
  auto body = std::make_shared<pipe_body>();
  return {std::make_unique<pipe_port>(body, 0, std::move(far_address)),
          std::make_unique<pipe_port>(body, 1, std::move(near_address))};
}

}  // namespace wh
