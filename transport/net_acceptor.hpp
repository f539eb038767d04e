#pragma once
#include <limits>

#include "transport/net_channel.hpp"

namespace wh {

class tcp_acceptor;

/// Held while the handshake of an accepted connection is under way.
struct handshake_turn {
  handshake_turn(std::weak_ptr<tcp_acceptor> acceptor, bool many) : of(std::move(acceptor)), busy(many) {}
  ~handshake_turn();
  handshake_turn(const handshake_turn&) = delete;
  handshake_turn& operator=(const handshake_turn&) = delete;

  const std::weak_ptr<tcp_acceptor> of;
  const bool busy;  ///< more than half of all turns were taken when this one began
};
using handshake_turn_ptr = std::shared_ptr<const handshake_turn>;

/// Accepts TCP connections until stopped, within a limit of open ones and one of handshakes under way: further peers wait
/// in the kernel's backlog, where they cost nothing.
class tcp_acceptor final : public loop_resident {
 public:
  using counter = tls_channel::counter;
  /// Takes over an accepted socket, already counted in the counter, and lets go of the turn when its handshake has ended.
  using socket_function = std::function<void(int fd, counter live, handshake_turn_ptr turn)>;
  struct limits {
    std::size_t connections_max = 0;
    std::size_t handshakes_max = std::numeric_limits<std::size_t>::max();
  };

  static result<std::shared_ptr<tcp_acceptor>> open(event_loop& loop, const host_port& at, const limits& within,
                                                    socket_function on_socket);
  explicit tcp_acceptor(const std::shared_ptr<loop_core>& core);
  ~tcp_acceptor() override;

  const host_port& local() const { return local_; }
  /// Closes the listening socket; connections open already stay. Any thread.
  void stop();
  void loop_stopped() override;

 private:
  using acceptor_type = asio::basic_socket_acceptor<asio::ip::tcp, loop_executor>;
  struct parts {
    std::shared_ptr<loop_core> core;
    acceptor_type socket;
    loop_timer pause;
  };
  friend struct handshake_turn;
  void wait();
  void accept_some();
  handshake_turn_ptr take_turn();
  void turn_over();
  void wait_for_descriptors(int code);
  std::weak_ptr<tcp_acceptor> weak_self() { return self(); }
  std::shared_ptr<tcp_acceptor> self() { return std::static_pointer_cast<tcp_acceptor>(shared_from_this()); }

  host_port local_;
  limits within_;
  socket_function on_socket_;
  counter live_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex mutex_;  ///< guards what follows: stop() and the ends of turns come from any thread
  std::optional<parts> parts_;
  std::size_t turns_ = 0;
  bool all_taken_ = false;  ///< the next turn that ends goes on accepting
  std::uint64_t refused_ = 0;
};

}  // namespace wh
