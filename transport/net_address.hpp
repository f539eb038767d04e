#pragma once
#include <sys/socket.h>

#include <vector>

#include "transport/net.hpp"

namespace wh {

/// A socket address as the kernel takes it.
struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// The addresses of a host name or IP; blocks while it asks the resolver.
result<std::vector<socket_address>> resolve(const host_port& at);

/// A listening, non-blocking socket.
result<int> open_listening_socket(const host_port& at);

/// Where a socket is bound; `asked` gives the host to print.
host_port bound_to(int fd, const host_port& asked);

}  // namespace wh
