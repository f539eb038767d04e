// The agent's connection to its hub: dialling, the hub's welcome and its refusals.
#include <fmt/format.h>

#include <algorithm>

#include "actors/spoke/agent_detail.hpp"

namespace wh {

using namespace agent_detail;

namespace agent_detail {
namespace {

/// A spoke that never was a member and keeps nothing has nothing to wait for.
bool may_give_up(const cluster_agent& self) { return self.cert_pem.empty() && self.held.empty() && !self.leaving; }

bool dials_to_join(const cluster_agent& self, instant now) {
  if (self.cert_pem.empty()) return true;
  return !self.leaving && (self.rejoin || expired(self, now));
}

std::string way_back(const std::string& cluster) {
  return fmt::format(
      "The cluster is kept as it is. To join again: on the hub `whctl get token --cluster-name {0}`, here start "
      "`wheelhouse-spoke --data-dir DIR --token TOKEN` with this data folder, then on the hub `whctl accept {0}`",
      cluster);
}

/// With the certificate, or with the token in the hope of a new one: whichever the hub did not refuse last.
void consider_rejoin(cluster_agent& self, const context& ctx) {
  if (self.cert_pem.empty()) return;
  self.rejoin = self.dialled_as_member && has_fresh_token(self, ctx);
}

void compare_clocks(cluster_agent& self, const welcome& m, const context& ctx, outbox& out) {
  if (self.link->clock_told || m.hub_now == instant{}) return;
  const duration ahead = ctx.now - m.hub_now;
  const duration apart = ahead < duration{0} ? -ahead : ahead;
  if (apart <= clock_notable) return;
  self.link->clock_told = true;
  const auto text = fmt::format("this machine's clock is {} {} the hub's", human_duration(apart),
                                ahead > duration{0} ? "ahead of" : "behind");
  if (apart <= clock_alarming) return out.log(note_level::info, text);
  out.log(note_level::warning, text + ": certificates may seem expired or not valid yet; set the clocks right");
}

/// OCM's agent renews each period, with a jitter of up to a quarter (spec 7).
void arm_heartbeat(const cluster_agent& self, const context& ctx, outbox& out) {
  const auto period = static_cast<double>(self.link->lease.count());
  out.wake("heartbeat", duration{static_cast<duration::rep>(period * (1.0 + ctx.random.unit() / 4))});
}

/// Not accepted: with works of ours still to be removed the hub asks for that, and for nothing else.
void fall_back(cluster_agent& self, bool cleanup, outbox& out) {
  const bool begins = cleanup && !self.link->cleanup;
  self.link->cleanup = cleanup;
  out.cancel("heartbeat");
  out.cancel("report");
  if (begins) {
    self.link->synced = false;
    tell(self, note_level::warning,
         "the hub does not accept this cluster any more: only removals of its works pass, until none is left", out);
    return request_sync(self, out);
  }
  if (cleanup) return;
  self.link->synced = false;
  tell(self, note_level::info,
       fmt::format("connected; waiting for the hub's administrator: whctl accept {}", self.options.cluster), out);
}

}  // namespace

void dial(cluster_agent& self, const context& ctx, outbox& out) {
  const bool joining = dials_to_join(self, ctx.now);
  const bool again = joining && !self.cert_pem.empty();
  if (again) open_next_request(self, ctx, out);
  if (again && expired(self, ctx.now))
    tell(self, note_level::warning,
         fmt::format("the certificate expired at {}: joining again with the token. {}",
                     to_rfc3339(self.certified->until), way_back(self.options.cluster)),
         out);
  // A join believes the pin, which its administrator gave; a member the authority that its certificate came with.
  const bool by_pin = joining && !self.options.ca_pin.empty();
  self.dialled_as_member = !joining;
  out.send(dialer, dial_hub{.key_pem = joining ? "" : self.key_pem,
                            .cert_pem = joining ? "" : self.cert_pem,
                            .ca_pem = by_pin ? "" : self.ca_pem,
                            .ca_pin = by_pin ? self.options.ca_pin : "",
                            .greeting = {.protocol = link_protocol_version,
                                         .software = self.options.software,
                                         .cluster = self.options.cluster,
                                         .agent = self.agent,
                                         .hub_incarnation = self.hub_incarnation,
                                         .level = link_level,
                                         .instance = self.options.instance}});
}

void redial_later(cluster_agent& self, const context& ctx, outbox& out) {
  self.link.reset();
  out.cancel("heartbeat");
  out.cancel("report");
  const duration delay = next_delay(self.backoff, ctx.now, self.retry_after, ctx.random);
  self.retry_after = duration{0};
  out.wake("dial", delay);
}

void send_heartbeat(cluster_agent& self, const context& ctx, outbox& out) {
  to_hub(self, heartbeat{ctx.now}, out);
  arm_heartbeat(self, ctx, out);
}

void handle_welcome(cluster_agent& self, const welcome& m, const context& ctx, outbox& out) {
  self.link->hub_incarnation = m.hub_incarnation;
  self.link->lease = std::max<duration>(m.lease, std::chrono::seconds(1));
  self.link->level = m.level;
  reset(self.backoff);
  if (self.leaving) return say_goodbye(self, m, ctx, out);
  compare_clocks(self, m, ctx, out);
  const bool was_accepted = std::exchange(self.link->accepted, m.accepted);
  if (!m.accepted) return fall_back(self, m.cleanup, out);
  self.link->cleanup = false;
  if (was_accepted) return arm_heartbeat(self, ctx, out);
  self.told.clear();
  tell(self, note_level::info, "connected and accepted", out);
  self.link->synced = false;
  self.link->reported.reset();
  offer_cluster_report(self, ctx, out);
  request_sync(self, out);
  send_heartbeat(self, ctx, out);
  look_at_certificate(self, ctx, out);
}

void handle_refused(cluster_agent& self, const refused& m, const context& ctx, outbox& out) {
  const std::string text = "the hub refused the connection: " + m.message;
  self.retry_after = m.retry_after;
  if (self.leaving) {
    if (m.final) settle_hub(self, false, m.message, out);
    return;
  }
  if (m.final && may_give_up(self)) return out.send(node, give_up{text});
  // The hub lets a cluster go when its works are over, so their last confirmation is what this spoke may have missed.
  if (m.code == errc::not_found && self.link->member)
    for (const auto& name : self.unreported) out.send(work_address(name), cluster_unknown{});
  if (!m.final) return tell(self, note_level::warning, text, out);
  // A member keeps its cluster as it is, and asks again now and then: a person may change the hub's mind.
  consider_rejoin(self, ctx);
  if (!self.rejoin) self.retry_after = std::max(self.retry_after, refused_pause);
  tell(self, note_level::error,
       text + (self.rejoin ? ". A token that was not used before was given: joining again with it"
                           : ". " + way_back(self.options.cluster)),
       out);
}

}  // namespace agent_detail

void on(cluster_agent& self, const hub_connected& m, const context& ctx, outbox& out) {
  self.link =
      cluster_agent::online{.session = m.session, .member = self.dialled_as_member, .greeted = self.hub_incarnation};
  if (self.link->member || self.leaving) return;
  open_next_request(self, ctx, out);
  to_hub(self,
         join_request{.token = self.options.token,
                      .csr_pem = open_request(self),
                      .annotations = self.options.annotations,
                      .client_configs = self.options.client_configs},
         out);
}

void on(cluster_agent& self, const dial_failed& m, const context& ctx, outbox& out) {
  // A wrong pin is a mistake or an attack; neither goes away by trying again.
  const bool distrusted = m.why.code == errc::unauthorized || m.why.code == errc::forbidden;
  if (distrusted && may_give_up(self)) return out.send(node, give_up{m.why.message});
  if (distrusted) consider_rejoin(self, ctx);
  tell(self, note_level::warning, "no connection to the hub: " + m.why.message, out);
  if (!self.hub_settled) redial_later(self, ctx, out);
}

void on(cluster_agent& self, const session_closed& m, const context& ctx, outbox& out) {
  if (!self.link || self.link->session != m.session) return;
  if (self.leaving && self.link->goodbye) {
    self.link.reset();
    settle_hub(self, true, "", out);
    return end_if_left(self, out);
  }
  tell(self, note_level::warning, "the connection to the hub is gone: " + m.why.message, out);
  if (!self.hub_settled) return redial_later(self, ctx, out);
  self.link.reset();
}

}  // namespace wh
