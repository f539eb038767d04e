// Dialling a link over sockets: name, each of its addresses, a proxy if there is one, then TLS; all within one time-out.
#include <netinet/in.h>
#include <sys/socket.h>

#include "transport/net_link.hpp"
#include "transport/net_tls_port.hpp"
#include "transport/proxy.hpp"

namespace wh {
namespace {

/// What each address of a name gets of the time at least.
constexpr duration address_time_min = std::chrono::milliseconds(250);

class dial_attempt final : public loop_resident, public port_waiter {
 public:
  dial_attempt(const std::shared_ptr<loop_core>& core, link_caller caller, dial_route route)
      : core_(core), route_(std::move(route)), caller_(std::move(caller)) {
    parts_.emplace(parts{core, loop_strand(core->io.get_executor()), resolver_type(core->io.get_executor()),
                         socket_type(core->io.get_executor()), loop_timer(core->io.get_executor()), nullptr});
  }

  void run(const tls_config& config, duration timeout) {
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
  using clock = std::chrono::steady_clock;
  using resolver_type = asio::ip::basic_resolver<asio::ip::tcp, loop_executor>;
  using socket_type = asio::basic_stream_socket<asio::ip::tcp, loop_executor>;
  /// A proxy that is being asked.
  struct tunnel {
    std::unique_ptr<byte_port> port;
    tls_port* shaking;  ///< the port, while its handshake is under way
    connect_exchange ask;
  };
  struct parts {
    std::shared_ptr<loop_core> core;
    loop_strand strand;
    resolver_type resolver;
    socket_type socket;
    loop_timer timer;
    std::unique_ptr<tunnel> through;
  };

  std::shared_ptr<dial_attempt> self() { return std::static_pointer_cast<dial_attempt>(shared_from_this()); }
  const host_port& first_stop() const { return route_.proxy ? route_.proxy->at : caller_.to; }

  /// By value: the reason often lives in what this releases.
  void fail_with(errc code, std::string why) {
    if (done_) return;
    done_ = true;
    drop_connection();
    parts_->timer.cancel();
    parts_->resolver.cancel();
    caller_.fail_with(code, route_.proxy ? "proxy " + route_.proxy->text() + ": " + why : why);
  }

  void drop_connection() {
    asio_error ignored;
    parts_->socket.close(ignored);
    parts_->through.reset();
  }

  void resolve(const tls_config& config) {
    auto made = make_link_client(*core_, config, caller_.to);
    if (!made) return fail_with(made.err().code, made.err().message);
    tls_ = std::move(*made);
    arm_timer(caller_.deadline);
    parts_->resolver.async_resolve(
        first_stop().host, std::to_string(first_stop().port),
        asio::bind_executor(parts_->strand, [me = self()](const asio_error& ec, resolver_type::results_type found) {
          if (me->done_) return;
          if (ec) return me->fail_with(errc::unavailable, "host name: " + ec.message());
          for (const auto& entry : found) me->endpoints_.push_back(entry.endpoint());
          me->try_next(fail(errc::unavailable, "no address"));
        }));
  }

  void arm_timer(clock::time_point at) {
    parts_->timer.expires_at(at);
    parts_->timer.async_wait(asio::bind_executor(parts_->strand, [me = self()](const asio_error& ec) {
      if (ec || me->done_) return;
      const auto silence = fail(errc::timeout, "no answer within " + human_duration(me->timeout_));
      if (clock::now() >= me->caller_.deadline) return me->fail_with(silence.code, silence.message);
      me->drop_connection();
      me->try_next(silence);
    }));
  }

  /// The next address with its share of the time that is left: one that swallows packets must not cost the others theirs.
  void try_next(const error& last_failure) {
    if (done_) return;
    if (next_ == endpoints_.size()) return fail_with(last_failure.code, last_failure.message);
    const auto left = caller_.deadline - clock::now();
    const auto share = std::max<clock::duration>(left / static_cast<int>(endpoints_.size() - next_), address_time_min);
    address_deadline_ = std::min(clock::now() + share, caller_.deadline);
    const auto endpoint = endpoints_[next_++];
    asio_error ec;
    parts_->socket.close(ec);
    parts_->socket.open(endpoint.protocol(), ec);
    if (!ec && !route_.source.empty()) bind_to_source(ec);
    if (ec) return try_next(fail(errc::unavailable, errno_text(ec.value())));
    arm_timer(address_deadline_);
    parts_->socket.async_connect(
        endpoint, asio::bind_executor(parts_->strand, [me = self(), mine = next_](const asio_error& error) {
          if (me->done_ || me->next_ != mine) return;
          if (error) return me->try_next(fail(errc::unavailable, errno_text(error.value())));
          me->connected();
        }));
  }

  /// The port is chosen with the connection, so that one address serves as many connections as there are destinations.
  void bind_to_source(asio_error& ec) {
    const int late = 1;
    ::setsockopt(parts_->socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    const auto address = asio::ip::make_address(route_.source, ec);
    if (!ec) parts_->socket.bind({address, 0}, ec);
  }

  void connected() {
    asio_error ec;
    parts_->socket.native_non_blocking(true, ec);
    auto port = make_socket_port(core_, parts_->socket.release(ec));
    if (route_.proxy) return ask_proxy(std::move(port));
    begin_tls(std::move(port));
  }

  void ask_proxy(result<std::unique_ptr<byte_port>> port) {
    if (!port) return try_next(port.err());
    const auto& proxy = *route_.proxy;
    auto through = std::make_unique<tunnel>(tunnel{nullptr, nullptr, connect_exchange(proxy, caller_.to)});
    if (proxy.tls) {
      tls_config config;
      config.trusted_ca_pem = proxy.ca_pem;
      config.verify_host = proxy.at.host;
      auto context = core_->client_contexts.make(config, proxy.at);
      if (!context) return fail_with(errc::unavailable, context.err().message);
      auto outer = std::make_unique<tls_port>(std::move(*port), std::move(*context));
      through->shaking = outer.get();
      through->port = std::move(outer);
    } else {
      through->port = std::move(*port);
    }
    parts_->through = std::move(through);
    pump_tunnel();
  }

  void port_ready(readiness, bool ok) override {
    if (ok && !done_ && parts_ && parts_->through) pump_tunnel();
  }

  void pump_tunnel() {
    auto& through = *parts_->through;
    auto status = through.shaking ? through.shaking->handshake() : io_status::done;
    // Whatever is wrong with the proxy says nothing about the hub: never a reason to distrust that.
    if (status == io_status::failed) return give_address_up(through.shaking->failure().message);
    if (status == io_status::done) {
      through.shaking = nullptr;
      status = through.ask.step(*through.port);
      if (status == io_status::failed) return fail_with(errc::unavailable, through.ask.failure().message);
    }
    if (status == io_status::want_read) return through.port->wait(readiness::readable, parts_->strand, self());
    if (status == io_status::want_write) return through.port->wait(readiness::writable, parts_->strand, self());
    auto port = std::move(through.port);
    parts_->through.reset();
    begin_tls(std::move(port));
  }

  void give_address_up(std::string why) {
    drop_connection();
    try_next(fail(errc::unavailable, std::move(why)));
  }

  void begin_tls(result<std::unique_ptr<byte_port>> port) {
    parts_->timer.cancel();
    if (next_ == endpoints_.size() || route_.proxy) {
      done_ = true;
      return caller_.begin_tls(core_, std::move(port), std::move(tls_));
    }
    channel_options options;
    options.handshake_timeout =
        std::max<duration>(std::chrono::duration_cast<duration>(address_deadline_ - clock::now()), address_time_min);
    auto failed = [me = self(), strand = parts_->strand](const error& why) {
      asio::post(strand, [me, why] {
        if (me->parts_) me->try_next(why);
      });
    };
    tls_channel::start(core_, std::move(port), tls_, options, caller_.connected, std::move(failed));
  }

  std::shared_ptr<loop_core> core_;
  std::optional<parts> parts_;
  const dial_route route_;
  link_caller caller_;
  tls_context_ptr tls_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  clock::time_point address_deadline_;
  duration timeout_{};
  bool done_ = false;
};

}  // namespace

void dial_link(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout,
               accept_handler on_connected, std::function<void(const error&)> on_failed, const dial_route& route) {
  link_caller caller{to, std::chrono::steady_clock::now() + timeout, std::move(on_connected), std::move(on_failed)};
  std::make_shared<dial_attempt>(loop.internals().core, std::move(caller), route)->run(tls, timeout);
}

}  // namespace wh
