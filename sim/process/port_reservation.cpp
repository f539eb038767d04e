#include "sim/process/port_reservation.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "transport/net_address.hpp"

namespace wh {

result<port_reservation> port_reservation::take(const std::string& host) {
  const host_port any{host, 0};
  const auto addresses = resolve(any);
  if (!addresses) return addresses.err();
  const auto& address = addresses->front();
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(errc::io, std::string("cannot make a socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address.get(), address.size) != 0) {
    const int why = errno;
    ::close(fd);
    return fail(errc::io, "cannot get a port of " + host + ": " + std::strerror(why));
  }
  return port_reservation(fd, bound_to(fd, any));
}

port_reservation::~port_reservation() {
  if (fd_ >= 0) ::close(fd_);
}

port_reservation::port_reservation(port_reservation&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), at_(std::move(other.at_)) {}

}  // namespace wh
