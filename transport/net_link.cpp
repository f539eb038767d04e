// Listening for links and dialing them.
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

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

/// One attempt to reach a peer: name, then each of its addresses, then TLS; all within one time-out.
class dial_attempt final : public loop_resident {
 public:
  dial_attempt(const std::shared_ptr<loop_core>& core, host_port to, std::string source, accept_handler connected,
               std::function<void(const error&)> failed)
      : core_(core), source_(std::move(source)), caller_{std::move(to), {}, std::move(connected), std::move(failed)} {
    parts_.emplace(parts{core, loop_strand(core->io.get_executor()), resolver_type(core->io.get_executor()),
                         socket_type(core->io.get_executor()), loop_timer(core->io.get_executor())});
  }

  void run(const tls_config& config, duration timeout) {
    caller_.deadline = std::chrono::steady_clock::now() + timeout;
    timeout_ = timeout;
    // Copies, because the loop may stop as soon as it knows of this attempt.
    const auto core = core_;
    const auto strand = parts_->strand;
    if (!settle(core)) return loop_stopped();
    asio::post(strand, [me = self(), config] { me->resolve(config); });
  }

  void loop_stopped() override {
    parts_.reset();
    core_.reset();
    caller_ = {};
  }

 private:
  using resolver_type = asio::ip::basic_resolver<asio::ip::tcp, loop_executor>;
  using socket_type = asio::basic_stream_socket<asio::ip::tcp, loop_executor>;
  struct parts {
    std::shared_ptr<loop_core> core;
    loop_strand strand;
    resolver_type resolver;
    socket_type socket;
    loop_timer timer;
  };

  std::shared_ptr<dial_attempt> self() { return std::static_pointer_cast<dial_attempt>(shared_from_this()); }

  void fail_with(errc code, const std::string& why) {
    if (done_) return;
    done_ = true;
    asio_error ignored;
    parts_->timer.cancel();
    parts_->resolver.cancel();
    parts_->socket.close(ignored);
    caller_.fail_with(code, why);
  }

  void resolve(const tls_config& config) {
    auto made = make_link_client(*core_, config, caller_.to);
    if (!made) return fail_with(made.err().code, made.err().message);
    tls_ = std::move(*made);
    parts_->timer.expires_at(caller_.deadline);
    parts_->timer.async_wait(asio::bind_executor(parts_->strand, [me = self()](const asio_error& ec) {
      if (!ec) me->fail_with(errc::timeout, "no answer within " + human_duration(me->timeout_));
    }));
    parts_->resolver.async_resolve(
        caller_.to.host, std::to_string(caller_.to.port),
        asio::bind_executor(parts_->strand, [me = self()](const asio_error& ec, resolver_type::results_type found) {
          if (me->done_) return;
          if (ec) return me->fail_with(errc::unavailable, "host name: " + ec.message());
          for (const auto& entry : found) me->endpoints_.push_back(entry.endpoint());
          me->try_next("no address");
        }));
  }

  void try_next(const std::string& last_failure) {
    if (next_ == endpoints_.size()) return fail_with(errc::unavailable, last_failure);
    const auto endpoint = endpoints_[next_++];
    asio_error ec;
    parts_->socket.close(ec);
    parts_->socket.open(endpoint.protocol(), ec);
    if (!ec && !source_.empty()) bind_to_source(ec);
    if (ec) return try_next(errno_text(ec.value()));
    parts_->socket.async_connect(endpoint, asio::bind_executor(parts_->strand, [me = self()](const asio_error& error) {
                                   if (me->done_) return;
                                   if (error) return me->try_next(errno_text(error.value()));
                                   me->begin_tls();
                                 }));
  }

  /// The port is chosen with the connection, so that one address serves as many connections as there are destinations.
  void bind_to_source(asio_error& ec) {
    const int late = 1;
    ::setsockopt(parts_->socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    const auto address = asio::ip::make_address(source_, ec);
    if (!ec) parts_->socket.bind({address, 0}, ec);
  }

  void begin_tls() {
    done_ = true;
    parts_->timer.cancel();
    asio_error ec;
    parts_->socket.native_non_blocking(true, ec);
    const int fd = parts_->socket.release(ec);
    caller_.begin_tls(core_, make_socket_port(core_, fd), std::move(tls_));
  }

  std::shared_ptr<loop_core> core_;
  std::optional<parts> parts_;
  const std::string source_;
  link_caller caller_;
  tls_context_ptr tls_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  duration timeout_{};
  bool done_ = false;
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

void dial_link(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout,
               accept_handler on_connected, std::function<void(const error&)> on_failed, const std::string& source) {
  std::make_shared<dial_attempt>(loop.internals().core, to, source, std::move(on_connected), std::move(on_failed))
      ->run(tls, timeout);
}

}  // namespace wh
