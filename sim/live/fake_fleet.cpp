#include "sim/live/fake_fleet.hpp"

#include "nodes/parts/clock.hpp"
#include "nodes/spoke/spoke_core.hpp"
#include "sim/live/scoped_store.hpp"
#include "sim/live/slow_link.hpp"
#include "transport/link_live.hpp"

namespace wh {

/// A spoke's network: what can be cut.
struct fake_fleet::wire {
  std::mutex mutex;
  bool up = true;
  std::weak_ptr<connection> connected;

  /// False: the network went down while it was being dialled.
  bool connect(const std::shared_ptr<connection>& over) {
    const std::lock_guard lock(mutex);
    connected = over;
    return up;
  }
  bool is_up() {
    const std::lock_guard lock(mutex);
    return up;
  }
  void cut(const std::string& why) {
    std::shared_ptr<connection> broken;
    {
      const std::lock_guard lock(mutex);
      broken = connected.lock();
    }
    if (broken) broken->abort(why);
  }
};

struct fake_fleet::node {
  fake_spoke_options options;
  std::shared_ptr<fake_cluster> cluster;
  std::shared_ptr<wire> network = std::make_shared<wire>();
  std::unique_ptr<store> data;
  std::unique_ptr<spoke_core> core;
  std::uint64_t lives = 0;
};

fake_fleet::fake_fleet(fake_fleet_options options, std::vector<fake_spoke_options> spokes)
    : options_(std::move(options)), dials_(std::make_shared<dial_queue>(options_.dials_at_once)) {
  nodes_.reserve(spokes.size());
  for (auto& each : spokes) {
    auto made = std::make_unique<node>();
    made->cluster = fake_cluster::make(each.cluster);
    made->data = make_scoped_store(*options_.data, each.settings.cluster_name);
    made->options = std::move(each);
    nodes_.push_back(std::move(made));
  }
}

fake_fleet::~fake_fleet() {
  dials_->close();
  for (std::size_t i = 0; i < nodes_.size(); ++i) kill(i);
}

std::size_t fake_fleet::size() const { return nodes_.size(); }
const std::string& fake_fleet::name(std::size_t spoke) const { return nodes_[spoke]->options.settings.cluster_name; }
bool fake_fleet::running(std::size_t spoke) const { return nodes_[spoke]->core != nullptr; }
const fake_cluster& fake_fleet::cluster(std::size_t spoke) const { return *nodes_[spoke]->cluster; }
actor_runtime& fake_fleet::runtime(std::size_t spoke) { return nodes_[spoke]->core->runtime(); }

result<void> fake_fleet::start(std::size_t spoke) {
  node& n = *nodes_[spoke];
  if (n.core) return {};
  spoke_core_options o;
  o.agent_data = n.data.get();
  o.open_cluster = [&n](post_envelope post) {
    return result<std::unique_ptr<cluster_port>>(n.cluster->attach(std::move(post)));
  };
  o.crypto = options_.crypto;
  o.now = wall_clock;
  o.seed = n.options.seed + ++n.lives;
  o.timers = live_link_timers(*options_.loop);
  o.dial = dialer(n);
  o.make_runtime = [this, spoke](runtime_options r) {
    return make_live_runtime_on(options_.threads, observed(std::move(r), spoke));
  };
  o.settings = n.options.settings;
  o.on_give_up = [this, spoke](const std::string& why) {
    if (options_.observer) options_.observer->on_gave_up(spoke, why);
  };
  o.log = [this, spoke](const address& who, note line) {
    if (options_.log) options_.log(name(spoke), who, std::move(line));
  };
  auto opened = spoke_core::open(o);
  if (!opened) return opened.err();
  n.core = std::move(*opened);
  n.core->start();
  return {};
}

void fake_fleet::kill(std::size_t spoke) {
  node& n = *nodes_[spoke];
  if (!n.core) return;
  n.network->cut("the spoke was killed");
  n.core->drain(duration::zero());
  n.core.reset();
}

void fake_fleet::cut(std::size_t spoke, const std::string& why) { nodes_[spoke]->network->cut(why); }

void fake_fleet::set_network(std::size_t spoke, bool up) {
  wire& w = *nodes_[spoke]->network;
  {
    const std::lock_guard lock(w.mutex);
    w.up = up;
  }
  if (!up) w.cut("the network is down");
}

link_dialer fake_fleet::dialer(const node& of) const {
  auto dial = dials_->over(options_.dial ? options_.dial
                                         : live_link_dialer(*options_.loop, {.source = of.options.source_address}));
  return [loop = options_.loop, over = of.network, dial = std::move(dial), one_way = of.options.latency / 2](
             const host_port& to, const tls_config& tls, duration timeout, const accept_handler& on_connected,
             const std::function<void(const error&)>& on_failed) {
    if (!over->is_up())
      return loop->post([on_failed] { on_failed(fail(errc::unavailable, "the spoke's network is down")); });
    // The wire is what a spoke sees of its line: cutting it loses what is on its way.
    const auto connected = [over, on_connected](std::shared_ptr<connection> made) {
      if (!over->connect(made)) made->abort("the network is down");
      return on_connected(std::move(made));
    };
    dial(to, tls, timeout, over_slow_link(connected, live_link_timers(*loop), one_way), on_failed);
  };
}

runtime_options fake_fleet::observed(runtime_options o, std::size_t spoke) const {
  if (!options_.observer) return o;
  o.trace = [this, spoke](const envelope& e, instant) {
    if (e.to.kind == actor_kind::cluster_agent) observe(spoke, e);
  };
  return o;
}

void fake_fleet::observe(std::size_t spoke, const envelope& e) const {
  fleet_observer& to = *options_.observer;
  if (std::get_if<session_closed>(&e.body)) return to.on_disconnected(spoke);
  const auto* got = std::get_if<hub_frame>(&e.body);
  if (!got) return;
  if (std::get_if<join_certificate>(&got->frame)) return to.on_certificate(spoke);
  if (std::get_if<sync_done>(&got->frame)) return to.on_synced(spoke);
  if (const auto* m = std::get_if<welcome>(&got->frame); m && m->accepted) return to.on_accepted(spoke);
  if (const auto* m = std::get_if<report_ack>(&got->frame); m && !m->work.empty())
    to.on_report_acked(spoke, m->work, m->seq);
}

}  // namespace wh
