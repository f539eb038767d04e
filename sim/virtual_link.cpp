#include "sim/virtual_link.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace wh {
namespace {

class virtual_end;

/// How long a side that closes waits for the other to take the rest, as the live transport does.
constexpr duration flush_patience = std::chrono::seconds(10);

enum class side : std::uint8_t { hub, spoke };

bool loses(lost_way way, side sender) {
  const auto bit = sender == side::hub ? lost_way::to_spoke : lost_way::to_hub;
  return (static_cast<unsigned>(way) & static_cast<unsigned>(bit)) != 0;
}

}  // namespace

struct virtual_network::core : std::enable_shared_from_this<core> {
  core(std::uint64_t seed, network_faults f, link_timers t, identify_function i)
      : faults(f), timers(std::move(t)), identify(std::move(i)), random(seed) {}

  struct pair {
    std::string spoke;
    std::shared_ptr<virtual_end> hub_end, spoke_end;
  };

  struct dialling {
    std::string spoke, cert_pem;
    duration timeout{};
    accept_handler on_connected;
    std::function<void(const error&)> on_failed;
  };

  duration delay() {
    const auto span = std::max<std::int64_t>((faults.delay_max - faults.delay_min).count(), 0);
    return faults.delay_min + duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(span) + 1)));
  }
  duration up_to(duration max) {
    return duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(max.count()) + 1)));
  }
  bool lost(const std::string& spoke, side sender) const {
    const auto it = partitions.find(spoke);
    return it != partitions.end() && loses(it->second, sender);
  }
  void dial(dialling d);
  void connect(const dialling& d);
  std::vector<pair> pairs_of(const std::string& spoke) const;
  void forget_closed(std::uint64_t id);
  void partition(const std::string& spoke, lost_way way);

  network_faults faults;
  const link_timers timers;
  const identify_function identify;
  write_hook around_write;  ///< empty: every write is carried out
  rng random;
  accept_handler accept;  ///< empty: nobody listens
  std::string hub_ca_pem;
  std::map<std::string, lost_way> partitions;
  std::map<std::uint64_t, pair> pairs;
  std::uint64_t last_pair = 0;
  network_figures counted;
};

namespace {

using net_core = virtual_network::core;

/// One end of a connection: what it writes is queued here and arrives at the other end piece by piece.
///
///   open ──close()──► closing (the end of stream is queued) ──it arrived, or patience is over──► closed
///     └──abort(), or the other end's end arrives──────────────────────────────────────────────────▲
class virtual_end final : public connection, public std::enable_shared_from_this<virtual_end> {
 public:
  virtual_end(std::weak_ptr<net_core> net, std::uint64_t pair, side mine, std::string spoke, peer_identity peer)
      : net_(std::move(net)), pair_(pair), side_(mine), spoke_(std::move(spoke)), peer_(std::move(peer)) {}

  void join(const std::shared_ptr<virtual_end>& other) { other_ = other; }
  void attach(std::shared_ptr<connection_handler> handler) { handler_ = std::move(handler); }
  bool closed() const { return phase_ == phase::closed; }

  void write(std::string bytes) override {
    const auto net = net_.lock();
    if (!net || phase_ != phase::open || bytes.empty()) return;
    if (!net->around_write) return put_on_wire(*net, std::move(bytes));
    net->around_write(spoke_, side_ == side::hub, bytes.size(), [&] { put_on_wire(*net, std::move(bytes)); });
  }

  void close() override {
    const auto net = net_.lock();
    if (!net || phase_ != phase::open) return;
    phase_ = phase::closing;
    queue_piece(*net, {{}, fail(errc::unavailable, "closed by the peer")});
    net->timers.after(flush_patience, [me = weak_from_this()] {
      if (const auto self = me.lock()) self->end(fail(errc::unavailable, "closed by this side"));
    });
  }

  void abort(std::string reason) override {
    const auto net = net_.lock();
    if (!net || phase_ == phase::closed) return;
    reset(*net, "reset by the peer");
    phase_ = phase::closing;
    net->timers.after(duration::zero(), [me = weak_from_this(), reason = std::move(reason)] {
      if (const auto self = me.lock()) self->end(fail(errc::unavailable, reason));
    });
  }

  const peer_identity& peer() const override { return peer_; }
  std::size_t unsent() const override { return queued_bytes_; }

  /// The process of this end is gone: nobody is told here, and there, unless silently, by a reset.
  void vanish(bool silently) {
    const auto net = net_.lock();
    handler_.reset();
    if (!net || phase_ == phase::closed) return;
    if (silently) queue_.clear();
    else reset(*net, "reset by the peer");
    phase_ = phase::closed;
    net->forget_closed(pair_);
  }

  /// The path between the two is gone; this side tells the other so, and hears it from the other.
  void break_off() {
    const auto net = net_.lock();
    if (net && phase_ != phase::closed) reset(*net, "the connection broke");
  }

  /// The connection is over for this side.
  void end(const error& why) {
    if (phase_ == phase::closed) return;
    phase_ = phase::closed;
    const auto net = net_.lock();
    if (const auto handler = std::exchange(handler_, nullptr)) handler->on_closed(why);
    if (net) net->forget_closed(pair_);
  }

  /// A partition has healed: what waited goes on.
  void go_on() {
    const auto net = net_.lock();
    if (net && !queue_.empty()) arm(*net, net->delay());
  }

 private:
  enum class phase : std::uint8_t { open, closing, closed };
  struct piece {
    std::string bytes;
    std::optional<error> ending = {};  ///< the stream ends here, for this reason
    duration due{};
  };

  void put_on_wire(net_core& net, std::string bytes) {
    if (bytes.size() > 1 && net.random.chance(net.faults.split)) {
      const auto at = 1 + net.random.below(bytes.size() - 1);
      queue_piece(net, {bytes.substr(0, at)});
      bytes.erase(0, at);
    }
    queue_piece(net, {std::move(bytes)});
  }

  void queue_piece(net_core& net, piece p) {
    auto wait = net.delay();
    if (net.random.chance(net.faults.clog)) {
      wait += net.up_to(net.faults.clog_max);
      ++net.counted.clogs;
    }
    const auto now = net.timers.now();
    // Nothing overtakes: a piece arrives with or after the one before.
    p.due = last_due_ = std::max(last_due_, now + wait);
    queued_bytes_ += p.bytes.size();
    queue_.push_back(std::move(p));
    arm(net, queue_.front().due - now);
  }

  /// What was not delivered is lost, and the other end hears of it instead.
  void reset(net_core& net, const char* why) {
    queue_.clear();
    queued_bytes_ = 0;
    last_due_ = duration::zero();
    queue_piece(net, {{}, fail(errc::unavailable, why)});
  }

  void arm(net_core& net, duration after) {
    if (std::exchange(armed_, true)) return;
    net.timers.after(std::max(after, duration::zero()), [me = weak_from_this()] {
      if (const auto self = me.lock()) self->deliver_next();
    });
  }

  void deliver_next() {
    armed_ = false;
    const auto net = net_.lock();
    const auto other = other_.lock();
    // In a partition everything waits, as TCP sends again until somebody gives up.
    if (!net || !other || queue_.empty() || net->lost(spoke_, side_)) return;
    if (const auto left = queue_.front().due - net->timers.now(); left > duration::zero()) return arm(*net, left);
    auto next = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= next.bytes.size();
    if (!queue_.empty()) arm(*net, queue_.front().due - net->timers.now());
    if (!next.ending && net->random.chance(net->faults.cut)) {
      next.bytes.resize(net->random.below(next.bytes.size()));
      next.ending = fail(errc::io, "the connection broke");
      ++net->counted.cuts;
    }
    ++net->counted.pieces;
    net->counted.bytes += next.bytes.size();
    hand_over(*other, next);
  }

  void hand_over(virtual_end& other, const piece& p) {
    // A side that closes has stopped listening, but still sees the stream's end.
    if (!p.bytes.empty() && other.phase_ == phase::open && other.handler_) {
      const auto handler = other.handler_;
      handler->on_bytes(p.bytes);
    }
    if (!p.ending) return;
    other.end(*p.ending);
    if (p.ending->code == errc::io) end(*p.ending);
    else if (phase_ == phase::closing) end(fail(errc::unavailable, "closed by this side"));
  }

  const std::weak_ptr<net_core> net_;
  const std::uint64_t pair_;
  const side side_;
  const std::string spoke_;
  const peer_identity peer_;
  std::weak_ptr<virtual_end> other_;
  std::shared_ptr<connection_handler> handler_;
  phase phase_ = phase::open;
  std::deque<piece> queue_;
  std::size_t queued_bytes_ = 0;
  duration last_due_{};
  bool armed_ = false;
};

}  // namespace

void virtual_network::core::dial(dialling d) {
  ++counted.dials;
  auto shared = std::make_shared<dialling>(std::move(d));
  timers.after(delay(), [weak = weak_from_this(), shared] {
    if (const auto self = weak.lock()) self->connect(*shared);
  });
}

void virtual_network::core::connect(const dialling& d) {
  if (lost(d.spoke, side::hub) || lost(d.spoke, side::spoke))
    return timers.after(d.timeout, [failed = d.on_failed] { failed(fail(errc::timeout, "dial hub: no answer")); });
  if (!accept || random.chance(faults.refuse))
    return d.on_failed(fail(errc::unavailable, "dial hub: connection refused"));
  peer_identity spoke_peer;
  if (!d.cert_pem.empty()) spoke_peer = identify(d.cert_pem);
  spoke_peer.remote_address = d.spoke;
  peer_identity hub_peer;
  hub_peer.has_certificate = true;
  hub_peer.remote_address = "hub";
  hub_peer.ca_chain_pem = hub_ca_pem;

  const auto id = ++last_pair;
  const auto hub_end = std::make_shared<virtual_end>(weak_from_this(), id, side::hub, d.spoke, std::move(spoke_peer));
  const auto spoke_end = std::make_shared<virtual_end>(weak_from_this(), id, side::spoke, d.spoke, std::move(hub_peer));
  hub_end->join(spoke_end);
  spoke_end->join(hub_end);
  auto on_hub = accept(hub_end);
  if (!on_hub) return d.on_failed(fail(errc::unavailable, "dial hub: not accepted"));
  ++counted.connections;
  pairs.emplace(id, pair{d.spoke, hub_end, spoke_end});
  hub_end->attach(std::move(on_hub));
  if (auto on_spoke = d.on_connected(spoke_end)) spoke_end->attach(std::move(on_spoke));
  else spoke_end->vanish(false);
}

std::vector<virtual_network::core::pair> virtual_network::core::pairs_of(const std::string& spoke) const {
  std::vector<pair> out;
  for (const auto& [id, p] : pairs)
    if (spoke.empty() || p.spoke == spoke) out.push_back(p);
  return out;
}

/// A pair stays as long as one end lives: what a closed end has left to say may still be on its way.
void virtual_network::core::forget_closed(std::uint64_t id) {
  const auto it = pairs.find(id);
  if (it == pairs.end() || !it->second.hub_end->closed() || !it->second.spoke_end->closed()) return;
  const auto last = std::move(it->second);  // the caller is one of the two
  pairs.erase(it);
}

void virtual_network::core::partition(const std::string& spoke, lost_way way) {
  if (way == lost_way::none) partitions.erase(spoke);
  else partitions[spoke] = way;
  for (const auto& p : pairs_of(spoke)) {
    p.hub_end->go_on();
    p.spoke_end->go_on();
  }
}

virtual_network::virtual_network(std::uint64_t seed, network_faults faults, link_timers timers,
                                 identify_function identify)
    : core_(std::make_shared<core>(seed, faults, std::move(timers), std::move(identify))) {}

virtual_network::~virtual_network() {
  for (const auto& p : core_->pairs_of("")) {
    p.hub_end->attach(nullptr);
    p.spoke_end->attach(nullptr);
  }
}

void virtual_network::listen(accept_handler on_accept, std::string ca_pem) {
  core_->accept = std::move(on_accept);
  core_->hub_ca_pem = std::move(ca_pem);
}

void virtual_network::stop_listening() { core_->accept = nullptr; }

link_dialer virtual_network::dialer(std::string spoke) {
  return [weak = std::weak_ptr(core_), spoke = std::move(spoke)](const host_port&, const tls_config& tls,
                                                                 duration timeout, accept_handler on_connected,
                                                                 std::function<void(const error&)> on_failed) {
    if (const auto self = weak.lock())
      self->dial({spoke, tls.identity.cert_pem, timeout, std::move(on_connected), std::move(on_failed)});
  };
}

void virtual_network::on_write(write_hook hook) { core_->around_write = std::move(hook); }

void virtual_network::set_faults(const network_faults& faults) { core_->faults = faults; }

void virtual_network::partition(const std::string& spoke, lost_way way) { core_->partition(spoke, way); }

void virtual_network::heal_all() {
  const auto spokes = core_->partitions;
  for (const auto& [spoke, way] : spokes) core_->partition(spoke, lost_way::none);
}

void virtual_network::cut(const std::string& spoke) {
  for (const auto& p : core_->pairs_of(spoke)) {
    ++core_->counted.cuts;
    p.hub_end->break_off();
    p.spoke_end->break_off();
  }
}

void virtual_network::crash_spoke(const std::string& spoke, bool silently) {
  for (const auto& p : core_->pairs_of(spoke)) p.spoke_end->vanish(silently);
}

void virtual_network::crash_hub(bool silently) {
  stop_listening();
  for (const auto& p : core_->pairs_of("")) p.hub_end->vanish(silently);
}

network_figures virtual_network::figures() const {
  auto out = core_->counted;
  out.open = core_->pairs.size();
  return out;
}

}  // namespace wh
