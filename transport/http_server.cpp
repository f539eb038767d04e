#include <spdlog/spdlog.h>

#include "transport/http_connection.hpp"
#include "transport/net_acceptor.hpp"

namespace wh {
namespace {

tls_config for_https(tls_config config) {
  // Go's and curl's clients offer h2 first; what we select here is what they then speak.
  config.alpn = {"http/1.1"};
  return config;
}

class https_server final : public http_server {
 public:
  https_server(std::shared_ptr<http_server_core> core, std::shared_ptr<tcp_acceptor> acceptor)
      : core_(std::move(core)), acceptor_(std::move(acceptor)) {}

  ~https_server() override {
    acceptor_->stop();
    core_->gate.close();
    for (const auto& connection : core_->connections()) connection->channel()->abort("server ended");
  }

  host_port local() const override { return acceptor_->local(); }

  void set_tls(const tls_config& config) override {
    auto context = make_server_context(for_https(config));
    if (!context)
      return spdlog::error("HTTPS {}: keeps its old certificates: {}", local().text(), context.err().message);
    core_->set_tls(std::move(*context));
  }

  void drain(duration grace) override {
    acceptor_->stop();
    core_->draining = true;
    for (const auto& connection : core_->connections())
      connection->channel()->post([connection] { connection->drain(); });
    if (core_->wait_empty(grace)) return;
    for (const auto& connection : core_->connections()) connection->channel()->abort("server drained");
  }

 private:
  std::shared_ptr<http_server_core> core_;
  std::shared_ptr<tcp_acceptor> acceptor_;
};

std::shared_ptr<connection_handler> admit(const std::shared_ptr<http_server_core>& core,
                                          std::shared_ptr<tls_channel> channel) {
  auto made = std::make_shared<http_connection>(core, std::move(channel));
  core->add(made);
  // drain() sets the flag and then looks at the list, this the other way round: one of the two sees the other.
  if (core->draining) {
    core->remove(made.get());
    return nullptr;
  }
  made->begin();
  return made;
}

}  // namespace

result<std::unique_ptr<http_server>> listen_https(event_loop& loop, const host_port& at, const tls_config& tls,
                                                  const http_limits& limits, http_handler handler,
                                                  std::function<std::string(int, const std::string&)> on_bad_request) {
  auto context = make_server_context(for_https(tls));
  if (!context) return fail(context.err().code, "listen " + at.text() + ": " + context.err().message);
  auto core = std::make_shared<http_server_core>();
  core->set_tls(std::move(*context));
  core->limits = limits;
  core->handler = std::move(handler);
  core->on_bad_request = std::move(on_bad_request);
  channel_options options;
  options.handshake_timeout = limits.header_timeout;
  options.write_timeout = limits.write_timeout;
  auto on_socket = [core, options, home = std::weak_ptr(loop.internals().core)](int fd, tls_channel::counter live,
                                                                                const handshake_turn_ptr&) {
    const auto here = home.lock();
    tls_channel::start(
        here, make_socket_port(here, fd), core->tls(), options,
        [core](std::shared_ptr<tls_channel> channel) { return admit(core, std::move(channel)); },
        [](const error& why) { spdlog::debug("HTTPS handshake: {}", why.message); }, std::move(live));
  };
  auto acceptor = tcp_acceptor::open(loop, at, {.connections_max = limits.connections_max}, std::move(on_socket));
  if (!acceptor) return acceptor.err();
  return std::unique_ptr<http_server>(std::make_unique<https_server>(std::move(core), std::move(*acceptor)));
}

}  // namespace wh
