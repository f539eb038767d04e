// Listening for links, and what both kinds of dialling share; net_dial.cpp dials over sockets.
#include <spdlog/spdlog.h>

#include "transport/net_acceptor.hpp"
#include "transport/net_link.hpp"

namespace wh {
namespace {

tls_config for_link(tls_config config) {
  config.tls13_only = true;
  return config;
}

class listening_link final : public link_listener {
 public:
  listening_link(std::shared_ptr<link_reception> reception, std::shared_ptr<tcp_acceptor> acceptor)
      : reception_(std::move(reception)), acceptor_(std::move(acceptor)) {}
  ~listening_link() override {
    acceptor_->stop();
    reception_->close();
  }
  host_port local() const override { return acceptor_->local(); }
  void stop() override { acceptor_->stop(); }
  void set_tls(const tls_config& config) override { reception_->set_tls(local(), config); }

 private:
  std::shared_ptr<link_reception> reception_;
  std::shared_ptr<tcp_acceptor> acceptor_;
};

}  // namespace

result<tls_context_ptr> make_link_client(loop_core& on, tls_config config, const host_port& to) {
  return on.client_contexts.make(for_link(std::move(config)), to);
}

result<std::shared_ptr<link_reception>> link_reception::open(const host_port& at, tls_config tls,
                                                             const listen_limits& limits, accept_handler on_accept) {
  auto tickets = make_ticket_keys(limits.ticket_life);
  auto made = make_server_context(for_link(std::move(tls)), tickets);
  if (!made) return fail(made.err().code, "listen " + at.text() + ": " + made.err().message);
  auto self = std::make_shared<link_reception>();
  self->on_accept_ = std::move(on_accept);
  self->limits_ = limits;
  self->tickets_ = std::move(tickets);
  self->tls_ = std::move(*made);
  return self;
}

void link_reception::take(const std::shared_ptr<link_reception>& self, const std::shared_ptr<loop_core>& core,
                          result<tls_channel::port_ptr> port, tls_channel::counter live, handshake_turn_ptr turn) {
  channel_options options;
  options.handshake_timeout = self->limits_.handshake_timeout;
  if (turn && turn->busy)
    options.handshake_timeout = std::min(options.handshake_timeout, self->limits_.busy_handshake_timeout);
  tls_context_ptr context;
  {
    const std::lock_guard lock(self->mutex_);
    context = self->tls_;
  }
  auto ready = [self, turn = std::move(turn)](std::shared_ptr<tls_channel> channel) {
    std::shared_ptr<connection_handler> handler;
    self->gate_.pass([&] { handler = self->on_accept_(std::move(channel)); });
    return handler;
  };
  auto failed = [](const error& why) { spdlog::debug("link handshake: {}", why.message); };
  tls_channel::start(core, std::move(port), std::move(context), options, std::move(ready), std::move(failed),
                     std::move(live));
}

void link_reception::set_tls(const host_port& at, tls_config tls) {
  auto made = make_server_context(for_link(std::move(tls)), tickets_);
  if (!made) {
    spdlog::error("link listener {}: keeps its old certificates: {}", at.text(), made.err().message);
    return;
  }
  const std::lock_guard lock(mutex_);
  tls_ = std::move(*made);
}

void link_caller::fail_with(errc code, const std::string& why) {
  connected = nullptr;
  std::exchange(failed, nullptr)(fail(code, "dial " + to.text() + ": " + why));
}

void link_caller::begin_tls(const std::shared_ptr<loop_core>& core, result<tls_channel::port_ptr> port,
                            tls_context_ptr tls) {
  channel_options options;
  options.handshake_timeout = std::max<duration>(
      std::chrono::duration_cast<duration>(deadline - std::chrono::steady_clock::now()), std::chrono::milliseconds(1));
  auto tell = [to = to, failed = std::move(failed)](const error& why) {
    failed(fail(why.code, "dial " + to.text() + ": " + why.message));
  };
  tls_channel::start(core, std::move(port), std::move(tls), options, std::move(connected), std::move(tell));
}

result<std::unique_ptr<link_listener>> listen_link(event_loop& loop, const host_port& at, const tls_config& tls,
                                                   const listen_limits& limits, accept_handler on_accept) {
  auto reception = link_reception::open(at, tls, limits, std::move(on_accept));
  if (!reception) return reception.err();
  auto on_socket = [to = *reception, home = std::weak_ptr(loop.internals().core)](int fd, tls_channel::counter live,
                                                                                  handshake_turn_ptr turn) {
    const auto core = home.lock();
    link_reception::take(to, core, make_socket_port(core, fd), std::move(live), std::move(turn));
  };
  auto acceptor = tcp_acceptor::open(loop, at, {limits.connections_max, limits.handshakes_max}, std::move(on_socket));
  if (!acceptor) return acceptor.err();
  return std::unique_ptr<link_listener>(std::make_unique<listening_link>(std::move(*reception), std::move(*acceptor)));
}

}  // namespace wh
