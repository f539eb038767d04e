#include "transport/memory_network.hpp"

#include <spdlog/spdlog.h>

#include <map>

#include "transport/net_link.hpp"
#include "transport/pipe.hpp"

namespace wh {
namespace {

/// One that listens, as those who dial find it.
struct station {
  std::shared_ptr<link_reception> reception;
  std::weak_ptr<loop_core> home;
  std::size_t connections_max = 0;
  tls_channel::counter live = std::make_shared<std::atomic<std::size_t>>(0);
  std::atomic<std::uint64_t> refused = 0;

  /// The dialler's end; null: nobody is at home. Over the limit the other end is closed at once, as a socket would be.
  std::unique_ptr<byte_port> connect(const host_port& at, std::uint64_t number);
};

std::unique_ptr<byte_port> station::connect(const host_port& at, std::uint64_t number) {
  const auto core = home.lock();
  if (!core || core->stopped) return nullptr;
  auto ends = make_pipe("memory:" + std::to_string(number), at.text());
  if (++*live > connections_max) {
    --*live;
    if (refused++ % 1000 == 0)
      spdlog::warn("listener {}: {} connections are open, refusing more", at.text(), connections_max);
    return std::move(ends.near);
  }
  link_reception::take(reception, core, std::move(ends.far), live);
  return std::move(ends.near);
}

}  // namespace

struct memory_network::map {
  std::mutex mutex;  ///< guards what follows
  std::map<std::string, std::shared_ptr<station>> stations;
  std::uint16_t next_port = 1;
  std::uint64_t dialled = 0;

  result<host_port> add(host_port at, const std::shared_ptr<station>& who);
  void remove(const host_port& at, const std::shared_ptr<station>& who);
  std::unique_ptr<byte_port> connect(const host_port& to);
};

result<host_port> memory_network::map::add(host_port at, const std::shared_ptr<station>& who) {
  const std::lock_guard lock(mutex);
  if (at.port == 0) {
    while (next_port != 0 && stations.contains(host_port{at.host, next_port}.text())) ++next_port;
    if (next_port == 0) return fail(errc::unavailable, "listen " + at.text() + ": no port is free");
    at.port = next_port++;
  }
  if (!stations.emplace(at.text(), who).second)
    return fail(errc::unavailable, "listen " + at.text() + ": address already in use");
  return at;
}

void memory_network::map::remove(const host_port& at, const std::shared_ptr<station>& who) {
  const std::lock_guard lock(mutex);
  // Somebody else may have taken the address since.
  if (const auto it = stations.find(at.text()); it != stations.end() && it->second == who) stations.erase(it);
}

std::unique_ptr<byte_port> memory_network::map::connect(const host_port& to) {
  std::shared_ptr<station> found;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex);
    const auto it = stations.find(to.text());
    if (it == stations.end()) return nullptr;
    found = it->second;
    number = ++dialled;
  }
  return found->connect(to, number);
}

namespace {

class memory_listener final : public link_listener {
 public:
  memory_listener(std::shared_ptr<memory_network::map> map, host_port at, std::shared_ptr<station> who)
      : map_(std::move(map)), at_(std::move(at)), who_(std::move(who)) {}
  ~memory_listener() override {
    memory_listener::stop();
    who_->reception->close();
  }
  host_port local() const override { return at_; }
  void set_tls(const tls_config& config) override { who_->reception->set_tls(at_, config); }
  void stop() override { map_->remove(at_, who_); }

 private:
  const std::shared_ptr<memory_network::map> map_;
  const host_port at_;
  const std::shared_ptr<station> who_;
};

/// A dial that waits for its turn on the loop.
class memory_dial final : public loop_resident {
 public:
  memory_dial(const std::shared_ptr<loop_core>& core, std::shared_ptr<memory_network::map> map, link_caller caller)
      : core_(core), map_(std::move(map)), caller_(std::move(caller)) {}

  void run(const tls_config& config) {
    // A copy, because the loop may stop as soon as it knows of this dial.
    const auto core = core_;
    if (!settle(core)) return loop_stopped();
    asio::post(core->io,
               [me = std::static_pointer_cast<memory_dial>(shared_from_this()), config] { me->call(config); });
  }

  void loop_stopped() override {
    core_.reset();
    caller_ = {};
  }

 private:
  void call(const tls_config& config) {
    auto tls = make_link_client(*core_, config, caller_.to);
    if (!tls) return caller_.fail_with(tls.err().code, tls.err().message);
    auto port = map_->connect(caller_.to);
    if (!port) return caller_.fail_with(errc::unavailable, errno_text(ECONNREFUSED));
    caller_.begin_tls(core_, std::move(port), std::move(*tls));
  }

  std::shared_ptr<loop_core> core_;
  const std::shared_ptr<memory_network::map> map_;
  link_caller caller_;
};

void dial_over(const std::shared_ptr<memory_network::map>& map, event_loop& loop, const host_port& to,
               const tls_config& tls, duration timeout, accept_handler on_connected,
               std::function<void(const error&)> on_failed) {
  link_caller caller{to, std::chrono::steady_clock::now() + timeout, std::move(on_connected), std::move(on_failed)};
  std::make_shared<memory_dial>(loop.internals().core, map, std::move(caller))->run(tls);
}

}  // namespace

memory_network::memory_network() : map_(std::make_shared<map>()) {}

result<std::unique_ptr<link_listener>> memory_network::listen(event_loop& loop, const host_port& at,
                                                              const tls_config& tls, const listen_limits& limits,
                                                              accept_handler on_accept) {
  auto reception = link_reception::open(at, tls, limits, std::move(on_accept));
  if (!reception) return reception.err();
  auto who = std::make_shared<station>();
  who->reception = std::move(*reception);
  who->home = loop.internals().core;
  who->connections_max = limits.connections_max;
  auto local = map_->add(at, who);
  if (!local) return local.err();
  return std::unique_ptr<link_listener>(std::make_unique<memory_listener>(map_, std::move(*local), std::move(who)));
}

void memory_network::dial(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout,
                          accept_handler on_connected, std::function<void(const error&)> on_failed) {
  dial_over(map_, loop, to, tls, timeout, std::move(on_connected), std::move(on_failed));
}

link_dialer memory_network::dialer(event_loop& loop) const {
  return [map = map_, &loop](const host_port& to, const tls_config& tls, duration timeout, accept_handler on_connected,
                             std::function<void(const error&)> on_failed) {
    dial_over(map, loop, to, tls, timeout, std::move(on_connected), std::move(on_failed));
  };
}

}  // namespace wh
