#pragma once
#include "transport/net_port.hpp"

namespace wh {

/// How many bytes one direction of a pipe holds before its writer has to wait; a few TLS records, as a socket would.
constexpr std::size_t pipe_bytes_max = 64 * 1024;

struct pipe_ends {
  std::unique_ptr<byte_port> near;
  std::unique_ptr<byte_port> far;
};

/// Two ports that are each other's peer, within one process and without a descriptor. The ends may live on different
/// loops, and end with them. An end behaves as a connected socket does, but for one thing: closing it never destroys what
/// is still on its way to the peer. An idle end costs some 300 bytes and holds no buffer.
pipe_ends make_pipe(std::string near_address, std::string far_address);

}  // namespace wh
