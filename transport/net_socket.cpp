// A TCP socket as a channel's port.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

#include "transport/net_port.hpp"

namespace wh {
namespace {

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

/// Small frames go out at once; a peer that vanished without a word is noticed by the kernel within some two minutes.
void tune_socket(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 120000);
}

class socket_port final : public byte_port {
 public:
  explicit socket_port(const loop_executor& executor) : socket_(executor) {}

  asio_error assign(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    asio_error ec;
    socket_.assign(address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd, ec);
    return ec;
  }

  ssize_t send(const char* bytes, std::size_t size) override { return socket_send(fd(), bytes, size); }
  ssize_t receive(char* to, std::size_t size) override { return socket_receive(fd(), to, size); }

  void wait(readiness what, const loop_strand& strand, std::shared_ptr<port_waiter> who) override {
    const auto kind = what == readiness::readable ? asio::socket_base::wait_read : asio::socket_base::wait_write;
    socket_.async_wait(kind, asio::bind_executor(strand, [what, who = std::move(who)](const asio_error& ec) {
                         who->port_ready(what, !ec);
                       }));
  }

  void shut_sending() override {
    asio_error ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void reset() override {
    // Closing such a socket frees the kernel's buffers at once and sends a reset.
    asio_error ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  }

  void close() override {
    asio_error ignored;
    socket_.close(ignored);
  }

  std::string remote() const override;

 private:
  int fd() const { return socket_.native_handle(); }

  using socket_type = asio::basic_stream_socket<asio::ip::tcp, loop_executor>;
  mutable socket_type socket_;  // Asio gives the descriptor only of one that may be changed
};

std::string socket_port::remote() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
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

}  // namespace

result<std::unique_ptr<byte_port>> make_socket_port(const std::shared_ptr<loop_core>& core, int fd) {
  tune_socket(fd);
  auto port = std::make_unique<socket_port>(core->io.get_executor());
  if (const auto ec = port->assign(fd)) {
    ::close(fd);
    return fail(errc::io, "cannot watch a socket: " + ec.message());
  }
  return std::unique_ptr<byte_port>(std::move(port));
}

}  // namespace wh
