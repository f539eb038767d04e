#include "nodes/spoke/link_host.hpp"

#include <atomic>
#include <mutex>

#include "base/assert.hpp"
#include "base/call_gate.hpp"
#include "transport/link_end.hpp"

namespace wh {
namespace {

class spoke_link;

/// How soon a full mailbox is tried again.
constexpr duration retry_period = std::chrono::milliseconds(50);

const address agent_address{actor_kind::cluster_agent, ""};

/// Receives nothing: for a connection that came up after it was no longer wanted.
class unwanted final : public connection_handler {
 public:
  void on_bytes(std::string_view) override {}
  void on_closed(const error&) override {}
};

}  // namespace

struct spoke_link_host::core : std::enable_shared_from_this<core> {
  explicit core(spoke_link_options o) : options(std::move(o)) {
    WH_ASSERT(!options.hubs.empty() && validate(options.limits).ok());
  }

  void dial(dial_hub wanted);
  void dial_next(std::uint64_t attempt, dial_hub wanted, std::size_t tries_left);
  std::shared_ptr<connection_handler> connected(std::uint64_t attempt, const dial_hub& wanted,
                                                std::shared_ptr<connection> over);
  void failed(std::uint64_t attempt, const error& why, dial_hub wanted, std::size_t tries_left);
  /// After a session that the hub ended before it said anything but no.
  void turn_away(const spoke_link* from);
  void send(const envelope& e);
  std::shared_ptr<spoke_link> current() const;
  std::shared_ptr<spoke_link> take_link();
  void forget(const spoke_link* gone);
  void arm_tick(const std::shared_ptr<spoke_link>& of);
  void arm_resume(const std::shared_ptr<spoke_link>& of);
  void tell_agent(session_id about, message body);
  result<void> post(envelope e) {
    auto posted = result<void>(fail(errc::unavailable, "the spoke is gone"));
    actors.pass([&] { posted = options.post(std::move(e)); });
    return posted;
  }
  void log(note_level level, std::string text) const {
    if (options.log) options.log({level, std::move(text)});
  }

  const spoke_link_options options;
  std::atomic<bool> open = true;  ///< false: stopped, and callbacks that come late do nothing
  call_gate actors;               ///< closed when they are about to go, while the loop may still be at work

  mutable std::mutex mutex;       ///< guards what follows
  std::uint64_t attempt_now = 0;  ///< counts dial_hub; what an older attempt brings is dropped
  std::uint64_t last_id = 0;
  std::size_t next_hub = 0;
  std::shared_ptr<spoke_link> link;
};

namespace {

using host_core = spoke_link_host::core;

class spoke_link final : public link_end<spoke_rules>, public std::enable_shared_from_this<spoke_link> {
 public:
  spoke_link(std::shared_ptr<host_core> host, session_id id, std::shared_ptr<connection> over, bool joining)
      : link_end(id, std::move(over), spoke_rules(joining), host->options.limits, host->options.timers.now()),
        host_(std::move(host)) {}

 private:
  duration now() const override { return host_->options.timers.now(); }
  result<void> pass_on(const frame_to_spoke& frame, link_receipt receipt) override {
    if (!std::holds_alternative<refused>(frame)) answered_ = true;
    return host_->post({agent_address, session_address(id()), hub_frame{id(), frame, std::move(receipt)}});
  }
  void dropped(const error& why) override { host_->log(note_level::error, "a frame was not sent: " + why.message); }
  void stalled() override { host_->arm_resume(shared_from_this()); }
  void credit_due() override {
    host_->options.timers.after(duration::zero(), [weak = weak_from_this()] {
      if (const auto link = weak.lock()) link->settle_credit();
    });
  }
  std::weak_ptr<link_end> weak() override { return weak_from_this(); }
  void gone(const error& why) override {
    if (!answered_) host_->turn_away(this);
    host_->forget(this);
    host_->tell_agent(id(), session_closed{id(), why});
  }

  const std::shared_ptr<host_core> host_;
  std::atomic<bool> answered_ = false;  ///< the hub has said something but no
};

tls_config tls_for(const dial_hub& wanted, const std::string& host) {
  return {.identity = {wanted.key_pem, wanted.cert_pem},
          .chain_pem = {},
          .trusted_ca_pem = wanted.ca_pem,
          .ca_pin = wanted.ca_pin,
          .verify_host = host,
          .tls13_only = true,
          .alpn = {}};
}

}  // namespace

void spoke_link_host::core::dial(dial_hub wanted) {
  std::uint64_t attempt = 0;
  {
    const std::lock_guard lock(mutex);
    if (!open) return;
    attempt = ++attempt_now;
  }
  if (const auto before = take_link()) before->abort("dialling anew");
  dial_next(attempt, std::move(wanted), options.hubs.size());
}

void spoke_link_host::core::dial_next(std::uint64_t attempt, dial_hub wanted, std::size_t tries_left) {
  host_port to;
  {
    const std::lock_guard lock(mutex);
    if (!open || attempt != attempt_now) return;
    to = options.hubs[next_hub];
  }
  const auto tls = tls_for(wanted, to.host);
  log(note_level::debug, "dialling " + to.host + " port " + std::to_string(to.port));
  options.dial(
      to, tls, options.dial_timeout,
      [weak = weak_from_this(), attempt,
       wanted](std::shared_ptr<connection> over) -> std::shared_ptr<connection_handler> {
        const auto self = weak.lock();
        return self ? self->connected(attempt, wanted, std::move(over)) : nullptr;
      },
      [weak = weak_from_this(), attempt, wanted, tries_left](const error& why) {
        if (const auto self = weak.lock()) self->failed(attempt, why, wanted, tries_left - 1);
      });
}

std::shared_ptr<connection_handler> spoke_link_host::core::connected(std::uint64_t attempt, const dial_hub& wanted,
                                                                     std::shared_ptr<connection> over) {
  std::shared_ptr<spoke_link> mine;
  {
    const std::lock_guard lock(mutex);
    if (open && attempt == attempt_now)
      mine = link =
          std::make_shared<spoke_link>(shared_from_this(), session_id(++last_id), over, wanted.cert_pem.empty());
  }
  if (!mine) {
    over->abort("not wanted any more");
    return std::make_shared<unwanted>();
  }
  // hello goes first: the agent cannot send before it knows of the session.
  mine->send(wanted.greeting);
  tell_agent(mine->id(), hub_connected{mine->id(), over->peer().ca_chain_pem});
  arm_tick(mine);
  return mine;
}

/// The agent hears of it once every address has had its turn.
void spoke_link_host::core::failed(std::uint64_t attempt, const error& why, dial_hub wanted, std::size_t tries_left) {
  {
    const std::lock_guard lock(mutex);
    if (!open || attempt != attempt_now) return;
    next_hub = (next_hub + 1) % options.hubs.size();
  }
  if (tries_left > 0) {
    log(note_level::warning, why.message + "; trying the hub's next address");
    return dial_next(attempt, std::move(wanted), tries_left);
  }
  tell_agent(session_id(0), dial_failed{why});
}

void spoke_link_host::core::turn_away(const spoke_link* from) {
  const std::lock_guard lock(mutex);
  if (link.get() == from) next_hub = (next_hub + 1) % options.hubs.size();
}

void spoke_link_host::core::send(const envelope& e) {
  const auto to = current();
  if (!to || e.to != session_address(to->id())) return;  // to an earlier link; the agent learns of its end by itself
  if (const auto* sending = std::get_if<send_to_hub>(&e.body)) return to->send(sending->frame);
  if (const auto* closing = std::get_if<close_session>(&e.body)) to->abort(closing->reason);
}

std::shared_ptr<spoke_link> spoke_link_host::core::current() const {
  const std::lock_guard lock(mutex);
  return link;
}

std::shared_ptr<spoke_link> spoke_link_host::core::take_link() {
  const std::lock_guard lock(mutex);
  return std::exchange(link, nullptr);
}

void spoke_link_host::core::forget(const spoke_link* gone) {
  const std::lock_guard lock(mutex);
  if (link.get() == gone) link.reset();
}

/// Ticks while the link lives.
void spoke_link_host::core::arm_tick(const std::shared_ptr<spoke_link>& of) {
  options.timers.after(options.limits.ping_after / 4, [weak = weak_from_this(), weak_link = std::weak_ptr(of)] {
    const auto self = weak.lock();
    const auto ticking = weak_link.lock();
    if (!self || !ticking) return;
    ticking->tick();
    self->arm_tick(ticking);
  });
}

void spoke_link_host::core::arm_resume(const std::shared_ptr<spoke_link>& of) {
  options.timers.after(retry_period, [weak = weak_from_this(), weak_link = std::weak_ptr(of)] {
    const auto self = weak.lock();
    const auto resuming = weak_link.lock();
    if (!self || !self->open) return;
    if (resuming) resuming->resume();
  });
}

void spoke_link_host::core::tell_agent(session_id about, message body) {
  if (!open) return;
  auto from = about.get() == 0 ? address{actor_kind::dialer, ""} : session_address(about);
  // Every mailbox keeps these, so it can fail only because the agent is starting over, and that dials anew.
  (void)post({agent_address, std::move(from), std::move(body)});
}

spoke_link_host::spoke_link_host(spoke_link_options options) : core_(std::make_shared<core>(std::move(options))) {}

spoke_link_host::~spoke_link_host() {
  core_->open = false;
  core_->actors.close();
  if (const auto last = core_->take_link()) last->abort("the spoke is gone");
}

void spoke_link_host::deliver(envelope e) {
  if (auto* wanted = std::get_if<dial_hub>(&e.body)) return core_->dial(std::move(*wanted));
  if (e.to.kind == actor_kind::session) core_->send(e);
}

void spoke_link_host::stop() {
  core_->open = false;
  core_->actors.close();
  if (const auto last = core_->take_link()) last->finish("the spoke is shutting down");
}

}  // namespace wh
