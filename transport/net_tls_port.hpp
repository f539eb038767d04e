#pragma once
#include "transport/net_port.hpp"

namespace wh {

/// A port within a TLS session over another one: a link that passes an https proxy is TLS within TLS.
class tls_port final : public byte_port {
 public:
  tls_port(std::unique_ptr<byte_port> below, tls_context_ptr tls)
      : below_(std::move(below)), tls_(std::make_unique<tls_stream>(std::move(tls), *below_)) {}

  /// To be called until it is done, before anything else.
  io_status handshake();
  const error& failure() const { return tls_->failure(); }

  ssize_t send(const char* bytes, std::size_t size) override;
  ssize_t receive(char* to, std::size_t size) override;
  void wait(readiness what, const loop_strand& strand, std::shared_ptr<port_waiter> who) override;
  void shut_sending() override;
  void reset() override { below_->reset(); }
  void close() override { below_->close(); }
  std::string remote() const override { return below_->remote(); }

 private:
  /// As of send() and recv(); notes what the port below must be ready for.
  ssize_t outcome(io_status status, std::size_t n, readiness& needs);

  const std::unique_ptr<byte_port> below_;
  const std::unique_ptr<tls_stream> tls_;
  readiness read_needs_ = readiness::readable;
  readiness write_needs_ = readiness::writable;
};

}  // namespace wh
