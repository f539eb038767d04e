#pragma once
// What links over sockets and links over memory have in common: everything above the port.
#include "transport/net_acceptor.hpp"
#include "transport/net_channel.hpp"

namespace wh {

/// The client's side of a link's TLS, ready for `tls_channel::start`.
result<tls_context_ptr> make_link_client(loop_core& on, tls_config config, const host_port& to);

/// What a link listener shares with handshakes under way, which may outlive it.
class link_reception {
 public:
  static result<std::shared_ptr<link_reception>> open(const host_port& at, tls_config tls, const listen_limits& limits,
                                                      accept_handler on_accept);
  /// Begins a handshake; the turn, where there is one, is held until it has ended. Any thread.
  static void take(const std::shared_ptr<link_reception>& self, const std::shared_ptr<loop_core>& core,
                   result<tls_channel::port_ptr> port, tls_channel::counter live, handshake_turn_ptr turn = nullptr);
  /// Keeps the old certificates if these are no good.
  void set_tls(const host_port& at, tls_config tls);
  /// No handshake reaches the accept_handler any more; waits for those that just do.
  void close() { gate_.close(); }

 private:
  call_gate gate_;
  accept_handler on_accept_;
  listen_limits limits_;
  std::shared_ptr<ticket_keys> tickets_;
  std::mutex mutex_;
  tls_context_ptr tls_;  ///< guarded by mutex_
};

/// Who waits for a dialled connection.
struct link_caller {
  host_port to;
  std::chrono::steady_clock::time_point deadline;
  accept_handler connected;
  std::function<void(const error&)> failed;

  void fail_with(errc code, const std::string& why);
  /// Shakes hands over the port and then makes one of the two calls.
  void begin_tls(const std::shared_ptr<loop_core>& core, result<tls_channel::port_ptr> port, tls_context_ptr tls);
};

}  // namespace wh
