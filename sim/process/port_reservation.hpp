#pragma once
#include "transport/net.hpp"

namespace wh {

/// A port that the kernel gives to nobody who did not ask for it by number.
///
/// A hub that is down leaves its port free, and thousands of spokes dial it meanwhile, each from a port that the kernel
/// picks: sooner or later it picks the hub's, and the hub cannot come back (dialing that very port from itself even
/// succeeds). So we hold a socket that is bound to the port and never listens. The hub may still bind it, because both
/// sides set SO_REUSEADDR, and a dial to it is refused as it should be while the hub is away.
class port_reservation {
 public:
  /// Any free port of `host`.
  static result<port_reservation> take(const std::string& host);
  ~port_reservation();
  port_reservation(port_reservation&& other) noexcept;
  port_reservation& operator=(port_reservation&&) = delete;

  const host_port& at() const { return at_; }

 private:
  port_reservation(int fd, host_port at) : fd_(fd), at_(std::move(at)) {}
  int fd_;
  host_port at_;
};

}  // namespace wh
