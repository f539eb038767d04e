#include "transport/net_tls_port.hpp"

#include <cerrno>

namespace wh {
namespace {

/// Waits below for one readiness and tells of the other.
class renamed_wait final : public port_waiter {
 public:
  renamed_wait(readiness as, std::shared_ptr<port_waiter> who) : as_(as), who_(std::move(who)) {}
  void port_ready(readiness, bool ok) override { std::exchange(who_, nullptr)->port_ready(as_, ok); }

 private:
  const readiness as_;
  std::shared_ptr<port_waiter> who_;
};

}  // namespace

io_status tls_port::handshake() {
  const auto status = tls_->handshake();
  if (status == io_status::done) tls_->forget_handshake();
  return status;
}

ssize_t tls_port::send(const char* bytes, std::size_t size) {
  std::size_t n = 0;
  const auto status = tls_->write({bytes, size}, n);
  return outcome(status, n, write_needs_);
}

ssize_t tls_port::receive(char* to, std::size_t size) {
  std::size_t n = 0;
  const auto status = tls_->read(to, size, n);
  return outcome(status, n, read_needs_);
}

ssize_t tls_port::outcome(io_status status, std::size_t n, readiness& needs) {
  switch (status) {
    case io_status::done: return static_cast<ssize_t>(n);
    case io_status::want_read: needs = readiness::readable; break;
    case io_status::want_write: needs = readiness::writable; break;
    case io_status::closed: return 0;
    case io_status::failed:
      // The proxy's end without goodbye is what it is for the link: its end.
      if (tls_->failure().code == errc::unavailable) return 0;
      errno = EPROTO;
      return -1;
  }
  errno = EAGAIN;
  return -1;
}

void tls_port::wait(readiness what, const loop_strand& strand, std::shared_ptr<port_waiter> who) {
  const auto needs = what == readiness::readable ? read_needs_ : write_needs_;
  if (needs != what) who = std::make_shared<renamed_wait>(what, std::move(who));
  below_->wait(needs, strand, std::move(who));
}

void tls_port::shut_sending() {
  static_cast<void>(tls_->shutdown());
  below_->shut_sending();
}

}  // namespace wh
