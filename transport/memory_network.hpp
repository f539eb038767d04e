#pragma once
#include "transport/link_ports.hpp"

namespace wh {

/// A network within one process: the same links, handshakes and certificates as over sockets, and no descriptors. Listeners
/// and dialled connections may be on different loops, and may outlive the network. Any thread.
class memory_network {
 public:
  memory_network();

  /// As listen_link(). Port 0: any free one; addresses are the network's own and mean nothing to the machine.
  result<std::unique_ptr<link_listener>> listen(event_loop& loop, const host_port& at, const tls_config& tls,
                                                const listen_limits& limits, accept_handler on_accept);
  /// As dial_link(); refused while nobody listens at exactly this address.
  void dial(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout, accept_handler on_connected,
            std::function<void(const error&)> on_failed);
  /// A live_link_dialer() for this network. The loop must outlive whoever uses it.
  link_dialer dialer(event_loop& loop) const;

  struct map;

 private:
  std::shared_ptr<map> map_;
};

}  // namespace wh
