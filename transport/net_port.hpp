#pragma once
#include "transport/net_loop.hpp"
#include "transport/tls.hpp"

namespace wh {

enum class readiness : std::uint8_t { readable, writable };

/// Who waits for a port.
class port_waiter {
 public:
  virtual ~port_waiter() = default;
  /// On the strand it waited with. Not `ok`: the wait was given up.
  virtual void port_ready(readiness what, bool ok) = 0;
};

/// What a channel runs over: a byte_stream that can be waited for, shut and closed; a socket or the end of a pipe. Used
/// by one strand. Its destructor closes it, which must happen while the loop's core is alive.
class byte_port : public byte_stream {
 public:
  /// Once; at most one wait for each readiness is under way. Keeps `who` alive until it has been called, or close().
  virtual void wait(readiness what, const loop_strand& strand, std::shared_ptr<port_waiter> who) = 0;
  /// Half-close: the peer reads what was sent, then the end. Receiving goes on.
  virtual void shut_sending() = 0;
  /// Drops what is on its way, in both directions; the peer meets a reset.
  virtual void reset() = 0;
  virtual void close() = 0;
  /// `ip:port` of the other end or what stands for it; empty if there is none.
  virtual std::string remote() const = 0;
};

/// Takes over a connected, non-blocking TCP socket, which is closed if that fails.
result<std::unique_ptr<byte_port>> make_socket_port(const std::shared_ptr<loop_core>& core, int fd);

}  // namespace wh
