#pragma once
#include "transport/net_channel.hpp"

namespace wh {

/// Accepts TCP connections until stopped, within a limit of open ones.
class tcp_acceptor final : public loop_resident {
 public:
  using counter = tls_channel::counter;
  /// Takes over an accepted socket, already counted in the counter.
  using socket_function = std::function<void(int fd, counter live)>;

  static result<std::shared_ptr<tcp_acceptor>> open(event_loop& loop, const host_port& at, std::size_t connections_max,
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
  void wait();
  void accept_some();
  void wait_for_descriptors(int code);
  std::shared_ptr<tcp_acceptor> self() { return std::static_pointer_cast<tcp_acceptor>(shared_from_this()); }

  host_port local_;
  std::size_t connections_max_ = 0;
  socket_function on_socket_;
  counter live_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex mutex_;  ///< guards parts_: stop() comes from any thread
  std::optional<parts> parts_;
  std::uint64_t refused_ = 0;
};

}  // namespace wh
