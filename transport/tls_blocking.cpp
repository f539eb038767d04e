#include "transport/tls_blocking.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "transport/net_address.hpp"

namespace wh {
namespace {

using clock = blocking_stream::clock;

result<void> wait_for(int fd, short events, clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) return fail(errc::timeout, "no answer in time");
    pollfd what{fd, events, 0};
    const int n = ::poll(&what, 1, static_cast<int>(std::min<decltype(left)>(left, 1'000'000)));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return fail(errc::io, "poll: " + errno_text(errno));
  }
}

result<int> connect_to(const socket_address& address, clock::time_point deadline) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(errc::io, errno_text(errno));
  const auto give_up = [fd](errc code, std::string why) {
    ::close(fd);
    return fail(code, std::move(why));
  };
  if (::connect(fd, address.get(), address.size) != 0) {
    if (errno != EINPROGRESS) return give_up(errc::unavailable, errno_text(errno));
    if (auto ok = wait_for(fd, POLLOUT, deadline); !ok) return give_up(ok.err().code, ok.err().message);
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) return give_up(errc::unavailable, errno_text(code));
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

result<int> connect_any(const host_port& to, clock::time_point deadline) {
  const auto addresses = resolve(to);
  if (!addresses) return addresses.err();
  error last = fail(errc::unavailable, "no address");
  for (const auto& address : *addresses) {
    auto fd = connect_to(address, deadline);
    if (fd) return fd;
    last = fd.err();
  }
  return last;
}

}  // namespace

result<std::unique_ptr<blocking_stream>> blocking_stream::dial(const host_port& to, const tls_context_ptr& tls,
                                                               clock::time_point deadline) {
  const auto failed = [&to](const error& why) { return fail(why.code, "dial " + to.text() + ": " + why.message); };
  const auto fd = connect_any(to, deadline);
  if (!fd) return failed(fd.err());
  std::unique_ptr<blocking_stream> made(new blocking_stream(*fd));
  made->tls_ = std::make_unique<tls_stream>(tls, made->socket_);
  while (true) {
    const auto status = made->tls_->handshake();
    if (status == io_status::done) break;
    if (auto ok = made->wait(status, deadline); !ok) return failed(ok.err());
  }
  made->tls_->forget_handshake();
  return made;
}

blocking_stream::~blocking_stream() {
  if (tls_) static_cast<void>(tls_->shutdown());
  ::close(socket_.fd);
}

result<void> blocking_stream::wait(io_status status, clock::time_point deadline) {
  switch (status) {
    case io_status::want_read: return wait_for(socket_.fd, POLLIN, deadline);
    case io_status::want_write: return wait_for(socket_.fd, POLLOUT, deadline);
    case io_status::closed: return fail(errc::unavailable, "closed by the peer");
    default: return tls_->failure();
  }
}

result<void> blocking_stream::write(std::string_view bytes, clock::time_point deadline) {
  while (!bytes.empty()) {
    std::size_t n = 0;
    const auto status = tls_->write(bytes, n);
    if (status == io_status::done) bytes.remove_prefix(n);
    else if (auto ok = wait(status, deadline); !ok) return ok;
  }
  return {};
}

result<std::size_t> blocking_stream::read(char* to, std::size_t size, clock::time_point deadline) {
  while (true) {
    std::size_t n = 0;
    const auto status = tls_->read(to, size, n);
    if (status == io_status::done) return n;
    if (status == io_status::closed) return std::size_t{0};
    if (auto ok = wait(status, deadline); !ok) return ok.err();
  }
}

bool blocking_stream::stale() const {
  char byte = 0;
  const ssize_t n = ::recv(socket_.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EINTR);
}

}  // namespace wh
