// Listening for links and dialing them.
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "transport/net_acceptor.hpp"

namespace wh {
namespace {

tls_config for_link(tls_config config) {
  config.tls13_only = true;
  return config;
}

/// What a listener shares with handshakes under way, which may outlive it.
struct link_listener_state {
  call_gate gate;
  accept_handler on_accept;
  std::mutex mutex;
  tls_context_ptr tls;  ///< guarded by mutex
};

class listening_link final : public link_listener {
 public:
  listening_link(std::shared_ptr<link_listener_state> state, std::shared_ptr<tcp_acceptor> acceptor)
      : state_(std::move(state)), acceptor_(std::move(acceptor)) {}
  ~listening_link() override {
    acceptor_->stop();
    state_->gate.close();
  }
  host_port local() const override { return acceptor_->local(); }
  void stop() override { acceptor_->stop(); }
  void set_tls(const tls_config& config) override {
    auto made = make_server_context(for_link(config));
    if (!made) {
      spdlog::error("link listener {}: keeps its old certificates: {}", local().text(), made.err().message);
      return;
    }
    const std::lock_guard lock(state_->mutex);
    state_->tls = std::move(*made);
  }

 private:
  std::shared_ptr<link_listener_state> state_;
  std::shared_ptr<tcp_acceptor> acceptor_;
};

std::shared_ptr<connection_handler> admit(link_listener_state& state, std::shared_ptr<connection> channel) {
  std::shared_ptr<connection_handler> handler;
  state.gate.pass([&] { handler = state.on_accept(std::move(channel)); });
  return handler;
}

/// One attempt to reach a peer: name, then each of its addresses, then TLS; all within one time-out.
class dial_attempt final : public loop_resident {
 public:
  dial_attempt(const std::shared_ptr<loop_core>& core, host_port to, std::string source, accept_handler connected,
               std::function<void(const error&)> failed)
      : core_(core), to_(std::move(to)), source_(std::move(source)), connected_(std::move(connected)), failed_(std::move(failed)) {
    parts_.emplace(parts{core, loop_strand(core->io.get_executor()), resolver_type(core->io.get_executor()),
                         socket_type(core->io.get_executor()), loop_timer(core->io.get_executor())});
  }

  void run(const tls_config& config, duration timeout) {
    deadline_ = std::chrono::steady_clock::now() + timeout;
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
    connected_ = nullptr;
    failed_ = nullptr;
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
    connected_ = nullptr;
    std::exchange(failed_, nullptr)(fail(code, "dial " + to_.text() + ": " + why));
  }

  void resolve(const tls_config& config) {
    auto made = make_client_context(for_link(config), to_.host);
    if (!made) return fail_with(made.err().code, made.err().message);
    tls_ = std::move(*made);
    parts_->timer.expires_at(deadline_);
    parts_->timer.async_wait(asio::bind_executor(parts_->strand, [me = self()](const asio_error& ec) {
      if (!ec) me->fail_with(errc::timeout, "no answer within " + human_duration(me->timeout_));
    }));
    parts_->resolver.async_resolve(
        to_.host, std::to_string(to_.port),
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
    channel_options options;
    options.handshake_timeout =
        std::max<duration>(std::chrono::duration_cast<duration>(deadline_ - std::chrono::steady_clock::now()),
                           std::chrono::milliseconds(1));
    tls_channel::start(core_, fd, std::move(tls_), options, std::move(connected_),
                       [failed = std::move(failed_), to = to_](const error& why) {
                         failed(fail(why.code, "dial " + to.text() + ": " + why.message));
                       });
  }

  std::shared_ptr<loop_core> core_;
  std::optional<parts> parts_;
  host_port to_;
  const std::string source_;
  accept_handler connected_;
  std::function<void(const error&)> failed_;
  tls_context_ptr tls_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  duration timeout_{};
  bool done_ = false;
};

}  // namespace

result<std::unique_ptr<link_listener>> listen_link(event_loop& loop, const host_port& at, const tls_config& tls,
                                                   const listen_limits& limits, accept_handler on_accept) {
  auto made = make_server_context(for_link(tls));
  if (!made) return fail(made.err().code, "listen " + at.text() + ": " + made.err().message);
  auto state = std::make_shared<link_listener_state>();
  state->on_accept = std::move(on_accept);
  state->tls = std::move(*made);
  channel_options options;
  options.handshake_timeout = limits.handshake_timeout;
  auto on_socket = [state, options, core = std::weak_ptr(loop.internals().core)](int fd, tls_channel::counter live) {
    tls_context_ptr context;
    {
      const std::lock_guard lock(state->mutex);
      context = state->tls;
    }
    tls_channel::start(
        core.lock(), fd, std::move(context), options,
        [state](std::shared_ptr<tls_channel> channel) { return admit(*state, std::move(channel)); },
        [](const error& why) { spdlog::debug("link handshake: {}", why.message); }, std::move(live));
  };
  auto acceptor = tcp_acceptor::open(loop, at, limits.connections_max, std::move(on_socket));
  if (!acceptor) return acceptor.err();
  return std::unique_ptr<link_listener>(std::make_unique<listening_link>(std::move(state), std::move(*acceptor)));
}

void dial_link(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout,
               accept_handler on_connected, std::function<void(const error&)> on_failed, const std::string& source) {
  std::make_shared<dial_attempt>(loop.internals().core, to, source, std::move(on_connected), std::move(on_failed))
      ->run(tls, timeout);
}

}  // namespace wh
