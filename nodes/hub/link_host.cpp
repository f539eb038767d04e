#include "nodes/hub/link_host.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <unordered_map>
#include <vector>

#include "base/assert.hpp"
#include "nodes/hub/link_conduct.hpp"
#include "nodes/hub/order_book.hpp"
#include "transport/link_end.hpp"

namespace wh {
namespace {

class hub_link;

/// Sessions by their number modulo the slices: one timer visits one slice at a time, and one slice's lock is for few.
constexpr std::size_t slices = 4;
/// How soon a full mailbox is tried again.
constexpr duration retry_period = std::chrono::milliseconds(50);
constexpr duration applicant_retry_after = std::chrono::seconds(30);
/// After a drain spokes return at this pace, not all at once.
constexpr duration drain_retry_after = std::chrono::seconds(1);
constexpr duration drain_spread_min = std::chrono::seconds(2);
constexpr duration drain_spread_per_session = std::chrono::milliseconds(1);

const address gatekeeper_address{actor_kind::gatekeeper, ""};

}  // namespace

struct hub_link_host::core : std::enable_shared_from_this<core> {
  explicit core(hub_link_options o) : options(std::move(o)), jitter(options.seed) {
    WH_ASSERT(validate(options.limits).ok());
  }

  struct slice {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, std::shared_ptr<hub_link>> links;
  };

  std::shared_ptr<connection_handler> accept(std::shared_ptr<connection> over);
  void admit(hub_link& link, const result<std::optional<spoke_identity>>& who);
  void deliver(envelope e);
  void probe(const std::shared_ptr<hub_link>& link, duration within);
  std::shared_ptr<hub_link> find(session_id id) const;
  std::vector<std::shared_ptr<hub_link>> links_of(const slice& of) const;
  std::vector<std::shared_ptr<hub_link>> all_links() const;
  void drain();
  void arm_ticks();
  void tick_next_slice();
  /// For what every mailbox keeps; it can fail only because the actor is starting over or the node is going down.
  void tell(envelope e);
  void retry_later(const std::shared_ptr<hub_link>& stalled);
  void retry();
  void log(note_level level, std::string text) const {
    if (options.log) options.log({level, std::move(text)});
  }
  void forget(session_id id) {
    auto& home = all[id.get() % slices];
    const std::lock_guard lock(home.mutex);
    home.links.erase(id.get());
  }

  const hub_link_options options;
  std::atomic<bool> open = true;  ///< false: the host is gone, and callbacks that come late do nothing
  std::atomic<bool> draining = false;
  std::atomic<std::uint64_t> last_id = 0;
  std::array<slice, slices> all;
  std::size_t next_slice = 0;

  std::atomic<std::uint64_t> sessions = 0, members = 0, applicants = 0;
  std::atomic<std::uint64_t> frames_in = 0, frames_out = 0, stalls = 0, refusals = 0;
  time_buckets report_times;

  mutable std::mutex retry_mutex;  ///< guards what follows
  std::vector<std::weak_ptr<hub_link>> stalled_links;
  bool retry_armed = false;
  rng jitter;
};

namespace {

using host_core = hub_link_host::core;

class hub_link final : public link_end<hub_rules>, public std::enable_shared_from_this<hub_link> {
 public:
  hub_link(std::shared_ptr<host_core> host, session_id id, std::shared_ptr<connection> over, const peer_identity& peer,
           std::optional<spoke_identity> proven)
      : link_end(id, std::move(over), hub_rules(std::move(proven)), host->options.limits, host->options.timers.now()),
        host_(std::move(host)),
        remote_(peer.remote_address),
        subject_(peer.subj),
        key_sha256_(peer.public_key_sha256),
        not_before_(peer.not_before),
        not_after_(peer.not_after) {
    ++host_->sessions;
    if (!rules().member()) ++host_->applicants;
  }
  ~hub_link() override {
    --host_->sessions;
    if (!rules().member()) --host_->applicants;
    if (welcomed_) --host_->members;
  }

  const std::string& remote() const { return remote_; }

  /// Whether this is a link of the cluster that its actor knows of; from then on it is told of the end, too.
  bool is_of(const std::string& cluster) {
    bool is = false;
    in_sequence([&] { is = route_known_ && rules().cluster() == cluster; });
    return is;
  }

  /// The actor has answered an applicant: it is the one to tell of the end.
  void answered_by(const address& from) {
    if (from.kind != actor_kind::managed_cluster) return;
    in_sequence([&] { route_known_ |= from.name == rules().cluster(); });
  }

  void deliver(const send_to_spoke& m) {
    if (const auto* no = std::get_if<refused>(&m.frame)) tell_of_refusal({no->code, no->message});
    if (const auto* no = std::get_if<renewal_refused>(&m.frame)) tell_of_refusal({errc::forbidden, no->message});
    in_sequence([&] {
      conduct_.on_sent(m.frame);
      if (const auto took = orders_.on_sent(m.frame, now())) host_->report_times.add(*took);
    });
    send(m.frame, m.then_close);
  }

  void refuse(const parting& terms) {
    ++host_->refusals;
    part(terms);
  }

 private:
  duration now() const override { return host_->options.timers.now(); }

  result<void> pass_on(const frame_to_hub& frame, link_receipt receipt) override {
    if (!host_->open) return fail(errc::unavailable, "the hub is gone");
    if (const auto* greeting = std::get_if<hello>(&frame)) return greet(*greeting);
    ++host_->frames_in;
    orders_.on_received(frame);
    if (const auto problem = conduct_.on_received(frame)) tell_of_refusal(*problem);
    const auto* request = std::get_if<join_request>(&frame);
    if (request && !rules().member())
      return post(gatekeeper_address, join_asked{.session = id(),
                                                 .cluster = rules().cluster(),
                                                 .agent = rules().agent(),
                                                 .request = *request,
                                                 .remote = remote_});
    return post(actor(), spoke_frame{id(), frame, std::move(receipt)});
  }

  /// What is worth a line in the audit log: not that the hub is busy or ends.
  void tell_of_refusal(const error& why) const {
    const bool telling = why.code == errc::unauthorized || why.code == errc::forbidden || why.code == errc::not_found ||
                         why.code == errc::already_exists || why.code == errc::conflict || why.code == errc::invalid ||
                         why.code == errc::malformed || why.code == errc::unsupported;
    if (!telling || !host_->options.on_refused) return;
    constexpr std::size_t said_max = 80;
    host_->options.on_refused({.user = subject_,
                               .cluster = rules().cluster().substr(0, said_max),
                               .software = software_,
                               .remote = remote_,
                               .why = why});
  }

  result<void> greet(const hello& greeting) {
    software_ = greeting.software.substr(0, 100);
    if (!rules().member()) return {};
    auto posted = post(actor(), spoke_connected{.session = id(),
                                                .greeting = greeting,
                                                .key_sha256 = key_sha256_,
                                                .not_before = not_before_,
                                                .not_after = not_after_,
                                                .remote = remote_});
    if (!posted) return posted;
    route_known_ = welcomed_ = true;
    ++host_->members;
    return posted;
  }

  void dropped(const error& why) override {
    host_->log(note_level::error, describe("a frame was not sent: " + why.message));
  }
  void stalled() override {
    ++host_->stalls;
    host_->retry_later(shared_from_this());
  }

  void credit_due() override {
    host_->options.timers.after(duration::zero(), [weak = weak_from_this()] {
      if (const auto link = weak.lock()) link->settle_credit();
    });
  }
  std::weak_ptr<link_end> weak() override { return weak_from_this(); }

  void gone(const error& why) override {
    host_->forget(id());
    host_->log(note_level::debug, describe("closed: " + why.message));
    tell_of_refusal(why);
    bool told = false;
    in_sequence([&] { told = route_known_; });
    if (told) host_->tell({actor(), session_address(id()), session_closed{id(), why}});
  }

  result<void> post(address to, message body) {
    return host_->options.post({std::move(to), session_address(id()), std::move(body)});
  }
  address actor() const { return {actor_kind::managed_cluster, rules().cluster()}; }
  std::string describe(const std::string& what) const {
    return "session " + std::to_string(id().get()) + " from " + remote_ + ": " + what;
  }

  const std::shared_ptr<host_core> host_;
  const std::string remote_;
  const subject subject_;
  std::string software_;
  const std::string key_sha256_;
  const instant not_before_;
  const instant not_after_;
  bool route_known_ = false;
  bool welcomed_ = false;
  order_book orders_;
  link_conduct conduct_;
};

std::optional<session_id> session_of(const address& a) {
  std::uint64_t number = 0;
  const auto* end = a.name.data() + a.name.size();
  const auto parsed = std::from_chars(a.name.data(), end, number);
  if (a.kind != actor_kind::session || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return session_id(number);
}

/// Who a connection speaks for; none without certificate.
result<std::optional<spoke_identity>> proven_identity(const peer_identity& peer) {
  if (!peer.has_certificate) return std::optional<spoke_identity>();
  auto identity = identity_of(peer.subj);
  if (!identity) return identity.err();
  return std::optional(std::move(*identity));
}

}  // namespace

std::shared_ptr<connection_handler> hub_link_host::core::accept(std::shared_ptr<connection> over) {
  if (!open) {
    over->abort("the hub is gone");
    return nullptr;
  }
  const peer_identity peer = over->peer();
  const auto who = proven_identity(peer);
  const session_id id(++last_id);
  const auto link = std::make_shared<hub_link>(shared_from_this(), id, std::move(over), peer,
                                               who ? *who : std::optional<spoke_identity>());
  {
    auto& home = all[id.get() % slices];
    const std::lock_guard lock(home.mutex);
    home.links.emplace(id.get(), link);
  }
  admit(*link, who);
  return link;
}

void hub_link_host::core::admit(hub_link& link, const result<std::optional<spoke_identity>>& who) {
  if (draining)
    return link.refuse({.why = fail(errc::unavailable, "hub is shutting down"), .retry_after = drain_retry_after});
  if (!who) {
    log(note_level::warning, "connection from " + link.remote() + " refused: " + who.err().message);
    return link.refuse({.why = who.err()});
  }
  if (!*who && applicants > options.applicants_max)
    link.refuse(
        {.why = fail(errc::busy, "too many clusters are waiting to join"), .retry_after = applicant_retry_after});
}

void hub_link_host::core::deliver(envelope e) {
  const auto id = session_of(e.to);
  const auto link = id ? find(*id) : nullptr;
  auto* sending = std::get_if<send_to_spoke>(&e.body);
  if (!link) {
    // The actor took the link for alive; without this it might wait for an answer that cannot come.
    if (id && sending && e.from.kind == actor_kind::managed_cluster)
      tell({e.from, e.to, session_closed{*id, fail(errc::unavailable, "the connection was closed already")}});
    return;
  }
  if (sending) {
    link->answered_by(e.from);
    ++frames_out;
    link->deliver(*sending);
  } else if (const auto* closing = std::get_if<close_session>(&e.body)) {
    link->abort(closing->reason);
  } else if (const auto* probing = std::get_if<probe_session>(&e.body)) {
    probe(link, probing->within);
  }
}

void hub_link_host::core::probe(const std::shared_ptr<hub_link>& link, duration within) {
  link->ask();
  options.timers.after(within, [weak = std::weak_ptr(link), asked = options.timers.now()] {
    if (const auto still = weak.lock(); still && still->heard() <= asked)
      still->abort("the peer does not answer any more");
  });
}

std::shared_ptr<hub_link> hub_link_host::core::find(session_id id) const {
  const auto& home = all[id.get() % slices];
  const std::lock_guard lock(home.mutex);
  const auto it = home.links.find(id.get());
  return it == home.links.end() ? nullptr : it->second;
}

std::vector<std::shared_ptr<hub_link>> hub_link_host::core::links_of(const slice& of) const {
  std::vector<std::shared_ptr<hub_link>> out;
  const std::lock_guard lock(of.mutex);
  out.reserve(of.links.size());
  for (const auto& [id, link] : of.links) out.push_back(link);
  return out;
}

std::vector<std::shared_ptr<hub_link>> hub_link_host::core::all_links() const {
  std::vector<std::shared_ptr<hub_link>> out;
  for (const auto& each : all)
    for (auto& link : links_of(each)) out.push_back(std::move(link));
  // In the order of their numbers, so that a simulated run does not depend on a hash.
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->id() < b->id(); });
  return out;
}

void hub_link_host::core::drain() {
  draining = true;
  const auto links = all_links();
  const auto spread =
      std::max<duration>(drain_spread_min, drain_spread_per_session * static_cast<std::int64_t>(links.size()));
  for (const auto& link : links) {
    duration extra;
    {
      const std::lock_guard lock(retry_mutex);
      extra = duration(static_cast<std::int64_t>(jitter.below(static_cast<std::uint64_t>(spread.count()))));
    }
    link->refuse({.why = fail(errc::unavailable, "hub is shutting down"), .retry_after = drain_retry_after + extra});
  }
}

void hub_link_host::core::arm_ticks() {
  // Each session gets four ticks within ping_after, or one in four seconds.
  const auto period = std::min<duration>(options.limits.ping_after / (4 * slices), std::chrono::seconds(1));
  options.timers.after(period, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || !self->open) return;
    self->tick_next_slice();
    self->arm_ticks();
  });
}

void hub_link_host::core::tick_next_slice() {
  auto links = links_of(all[next_slice]);
  next_slice = (next_slice + 1) % slices;
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return a->id() < b->id(); });
  for (const auto& link : links) link->tick();
}

void hub_link_host::core::tell(envelope e) {
  if (open) (void)options.post(std::move(e));
}

void hub_link_host::core::retry_later(const std::shared_ptr<hub_link>& stalled) {
  {
    const std::lock_guard lock(retry_mutex);
    stalled_links.push_back(stalled);
    if (std::exchange(retry_armed, true)) return;
  }
  options.timers.after(retry_period, [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && self->open) self->retry();
  });
}

void hub_link_host::core::retry() {
  std::vector<std::weak_ptr<hub_link>> links;
  {
    const std::lock_guard lock(retry_mutex);
    retry_armed = false;
    links.swap(stalled_links);
  }
  for (const auto& weak : links)
    if (const auto link = weak.lock()) link->resume();
}

hub_link_host::hub_link_host(hub_link_options options) : core_(std::make_shared<core>(std::move(options))) {
  core_->arm_ticks();
}

hub_link_host::~hub_link_host() {
  core_->open = false;
  for (const auto& link : core_->all_links()) link->abort("the hub is gone");
  for (auto& each : core_->all) {
    std::unordered_map<std::uint64_t, std::shared_ptr<hub_link>> dropped;
    const std::lock_guard lock(each.mutex);
    dropped.swap(each.links);
  }
}

accept_handler hub_link_host::acceptor() {
  return [weak = std::weak_ptr(core_)](std::shared_ptr<connection> over) -> std::shared_ptr<connection_handler> {
    const auto self = weak.lock();
    return self ? self->accept(std::move(over)) : nullptr;
  };
}

void hub_link_host::deliver(envelope e) { core_->deliver(std::move(e)); }

void hub_link_host::close_sessions_of(const std::string& cluster) {
  for (const auto& link : core_->all_links())
    if (link->is_of(cluster))
      link->refuse(
          {.why = fail(errc::unavailable, "the hub starts over with this cluster"), .retry_after = drain_retry_after});
}

void hub_link_host::drain() { core_->drain(); }

hub_link_figures hub_link_host::figures() const {
  const auto& c = *core_;
  return {.sessions = c.sessions,
          .members = c.members,
          .applicants = c.applicants,
          .frames_in = c.frames_in,
          .frames_out = c.frames_out,
          .stalls = c.stalls,
          .refused = c.refusals,
          .report_counts = c.report_times.counts(),
          .report_seconds = c.report_times.sum_s()};
}

}  // namespace wh
