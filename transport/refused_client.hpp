#pragma once
#include <functional>
#include <string>

#include "transport/net.hpp"

namespace wh {

/// A client whose certificate a server of ours refused within the handshake: nothing of it is proven.
struct refused_client {
  subject claimed;     ///< what the certificate says
  std::string remote;  ///< ip:port
  std::string why;
};
using refused_client_function = std::function<void(const refused_client&)>;

/// Who is told of the clients that all listeners of a loop refuse. Before any of them listens; any of the loop's threads
/// calls, so it must not block. Clients that fail for another reason (no TLS at all, a time-out) are not told of.
void watch_refused_clients(event_loop& loop, refused_client_function tell);

}  // namespace wh
