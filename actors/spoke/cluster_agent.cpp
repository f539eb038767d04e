#include "actors/spoke/cluster_agent.hpp"

#include <fmt/format.h>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"

namespace wh {
namespace {

const object_key identity_key{names::identities, "", "hub"};
const address dialer{actor_kind::dialer, ""};
const address node{actor_kind::node, ""};

address work_address(const std::string& name) { return {actor_kind::work, name}; }

void save_identity(const cluster_agent& self, outbox& out) {
  out.store(identity_key, encode_body({{"apiVersion", "wheelhouse.io/v1"},
                                       {"kind", "Identity"},
                                       {"metadata", {{"name", "hub"}}},
                                       {"cluster", self.options.cluster},
                                       {"agent", self.agent},
                                       {"key", self.key_pem},
                                       {"csr", self.csr_pem},
                                       {"certificate", self.cert_pem},
                                       {"ca", self.ca_pem},
                                       {"hubIncarnation", self.hub_incarnation}}));
}

void load_identity(cluster_agent& self, const document& doc) {
  self.agent = string_at(doc, {"agent"});
  self.key_pem = string_at(doc, {"key"});
  self.csr_pem = string_at(doc, {"csr"});
  self.cert_pem = string_at(doc, {"certificate"});
  self.ca_pem = string_at(doc, {"ca"});
  self.hub_incarnation = string_at(doc, {"hubIncarnation"});
}

/// The key pair is made here and its private half never leaves this spoke.
void make_identity(cluster_agent& self, const context& ctx, outbox& out) {
  self.agent = random_suffix(ctx.random, 5);
  auto key = ctx.crypto.new_key();
  if (!key) throw std::runtime_error("no key pair could be made: " + key.err().message);
  self.key_pem = *key;
  auto csr = ctx.crypto.make_csr(self.key_pem, names::cluster_user(self.options.cluster, self.agent),
                                 {names::cluster_group(self.options.cluster), names::clusters_group});
  if (!csr) throw std::runtime_error("no certificate request could be made: " + csr.err().message);
  self.csr_pem = *csr;
  save_identity(self, out);
}

void dial(const cluster_agent& self, outbox& out) {
  const bool member = !self.cert_pem.empty();
  out.send(dialer, dial_hub{.key_pem = member ? self.key_pem : "",
                            .cert_pem = self.cert_pem,
                            .ca_pem = self.ca_pem,
                            .ca_pin = member ? "" : self.options.ca_pin,
                            .greeting = {.protocol = link_protocol_version,
                                         .software = self.options.software,
                                         .cluster = self.options.cluster,
                                         .agent = self.agent,
                                         .hub_incarnation = self.hub_incarnation}});
}

/// Says a thing about the link once, not at every attempt.
void tell(cluster_agent& self, note_level level, std::string text, outbox& out) {
  const bool again = text == self.last_told;
  out.log(again ? note_level::debug : level, text);
  self.last_told = std::move(text);
}

void redial_later(cluster_agent& self, const context& ctx, outbox& out) {
  self.link.reset();
  out.cancel("heartbeat");
  const duration delay = next_delay(self.backoff, ctx.now, self.retry_after, ctx.random);
  self.retry_after = duration{0};
  out.wake("dial", delay);
}

void to_hub(const cluster_agent& self, frame_to_hub frame, outbox& out) {
  out.send(session_address(self.link->session), send_to_hub{std::move(frame)});
}

void send_cluster_report(cluster_agent& self, outbox& out) {
  if (!self.link || !self.link->accepted || !self.facts_known) return;
  to_hub(self,
         cluster_report{.seq = ++self.report_seq,
                        .available = self.facts.healthy,
                        .available_reason = "",
                        .available_message = self.facts.message,
                        .kubernetes_version = self.facts.kubernetes_version,
                        .capacity = self.facts.capacity,
                        .allocatable = self.facts.allocatable},
         out);
}

void request_sync(cluster_agent& self, outbox& out) {
  sync_request sync;
  for (const auto& [name, work] : self.held) sync.works.push_back(work);
  to_hub(self, std::move(sync), out);
}

/// OCM's agent renews each period, with a jitter of up to a quarter (spec 7).
void arm_heartbeat(const cluster_agent& self, const context& ctx, outbox& out) {
  const auto period = static_cast<double>(self.link->lease.count());
  out.wake("heartbeat", duration{static_cast<duration::rep>(period * (1.0 + ctx.random.unit() / 4))});
}

void handle(cluster_agent& self, const welcome& m, const context& ctx, outbox& out) {
  self.link->hub_incarnation = m.hub_incarnation;
  self.link->lease = std::max<duration>(m.lease, std::chrono::seconds(1));
  reset(self.backoff);
  const bool was_accepted = self.link->accepted;
  self.link->accepted = m.accepted;
  if (!m.accepted) {
    self.link->synced = false;
    out.cancel("heartbeat");
    return tell(self, note_level::info,
                fmt::format("connected; waiting for the hub's administrator: whctl accept {}", self.options.cluster),
                out);
  }
  if (was_accepted) return arm_heartbeat(self, ctx, out);
  tell(self, note_level::info, "connected and accepted", out);
  send_cluster_report(self, out);
  request_sync(self, out);
  to_hub(self, heartbeat{ctx.now}, out);
  arm_heartbeat(self, ctx, out);
}

void handle(cluster_agent& self, const refused& m, const context&, outbox& out) {
  const std::string text = "the hub refused the connection: " + m.message;
  self.retry_after = m.retry_after;
  if (m.final && self.cert_pem.empty()) return out.send(node, give_up{text});
  // The hub lets a cluster go when its works are over, so their last confirmation is what this spoke may have missed.
  if (m.code == errc::not_found)
    for (const auto& name : self.unreported) out.send(work_address(name), cluster_unknown{});
  // A member keeps its cluster as it is, and asks again now and then: a person may change the hub's mind.
  if (m.final) self.retry_after = std::chrono::seconds(30);
  tell(self, m.final ? note_level::error : note_level::warning, text, out);
}

void handle(cluster_agent& self, const join_pending& m, const context&, outbox& out) {
  tell(self, note_level::info, m.message, out);
  reset(self.backoff);
}

void handle(cluster_agent& self, const join_certificate& m, const context& ctx, outbox& out) {
  const auto certificate = ctx.crypto.inspect_certificate(m.cert_pem);
  const auto request = ctx.crypto.inspect_csr(self.csr_pem);
  if (!certificate || !request || certificate->key_sha256 != request->key_sha256 ||
      certificate->common_name != request->common_name)
    return tell(self, note_level::error, "the hub sent a certificate that is not for this spoke's key: ignored", out);
  self.cert_pem = m.cert_pem;
  self.ca_pem = m.ca_pem;
  save_identity(self, out);
  tell(self, note_level::info, fmt::format("joined: certificate for {} received", certificate->common_name), out);
  self.link.reset();
  dial(self, out);
}

void handle(cluster_agent& self, const work_desired& m, const context&, outbox& out) {
  if (self.link->accepted) out.send(work_address(m.name), prescribe{m, self.link->hub_incarnation});
}

void handle(cluster_agent&, const work_unknown& m, const context&, outbox& out) {
  out.send(work_address(m.name), withdraw{m.uid});
}

void handle(cluster_agent& self, const sync_done&, const context&, outbox& out) {
  if (self.hub_incarnation != self.link->hub_incarnation) {
    self.hub_incarnation = self.link->hub_incarnation;
    save_identity(self, out);
  }
  self.link->synced = true;
  for (const auto& name : self.unreported) out.send(work_address(name), resend_report{});
  tell(self, note_level::info, fmt::format("in sync with the hub: {} works", self.held.size()), out);
}

void handle(cluster_agent&, const report_ack& m, const context&, outbox& out) {
  if (!m.work.empty()) out.send(work_address(m.work), report_acked{m.uid, m.seq});
}

template <class Other>
void handle(cluster_agent&, const Other&, const context&, outbox&) {}  // the session's own frames never get here

}  // namespace

cluster_agent make_cluster_agent(agent_options options) {
  cluster_agent self;
  self.options = std::move(options);
  return self;
}

void restore(cluster_agent& self, const context& ctx, outbox& out) {
  if (auto identity = ctx.data.read(identity_key)) load_identity(self, decode_stored(identity_key, identity->body));
  else make_identity(self, ctx, out);
  for (const auto& r : ctx.data.list({names::prescriptions, "", ""})) {
    const auto doc = decode_stored(r.key, r.body);
    self.held[r.key.name] = {r.key.name, std::string(uid_of(doc)), generation_of(doc), is_deleting(doc)};
    // Until the work says otherwise: after a restart of this actor alone it would not say so again.
    self.unreported.insert(r.key.name);
  }
  dial(self, out);
}

void on(cluster_agent& self, const hub_connected& m, const context&, outbox& out) {
  self.link = {.session = m.session, .accepted = false, .synced = false, .hub_incarnation = {}, .lease = {}};
  if (!self.cert_pem.empty()) return;
  to_hub(self, join_request{.token = self.options.token, .csr_pem = self.csr_pem, .annotations = {}}, out);
}

void on(cluster_agent& self, const dial_failed& m, const context& ctx, outbox& out) {
  // A wrong pin is a mistake or an attack; neither goes away by trying again.
  const bool distrusted = m.why.code == errc::unauthorized || m.why.code == errc::forbidden;
  if (distrusted && self.cert_pem.empty()) return out.send(node, give_up{m.why.message});
  tell(self, note_level::warning, "no connection to the hub: " + m.why.message, out);
  redial_later(self, ctx, out);
}

void on(cluster_agent& self, const session_closed& m, const context& ctx, outbox& out) {
  if (!self.link || self.link->session != m.session) return;
  tell(self, note_level::warning, "the connection to the hub is gone: " + m.why.message, out);
  redial_later(self, ctx, out);
}

void on(cluster_agent& self, const hub_frame& m, const context& ctx, outbox& out) {
  if (!self.link || self.link->session != m.session) return;
  std::visit([&](const auto& frame) { handle(self, frame, ctx, out); }, m.frame);
}

void on(cluster_agent& self, const work_held& m, const context&, outbox&) {
  if (m.gone) {
    self.held.erase(m.held.name);
    self.unreported.erase(m.held.name);
    return;
  }
  self.held[m.held.name] = m.held;
  if (m.reports_pending) self.unreported.insert(m.held.name);
  else self.unreported.erase(m.held.name);
}

// That a report is pending stands in work_held, which comes with it: in a full mailbox either may be overtaken by the other.
void on(cluster_agent& self, const report_ready& m, const context&, outbox& out) {
  if (self.link && self.link->synced) to_hub(self, m.report, out);
}

void on(cluster_agent& self, const finished_ready& m, const context&, outbox& out) {
  if (self.link && self.link->synced) to_hub(self, m.finished, out);
}

void on(cluster_agent& self, const cluster_facts& m, const context&, outbox& out) {
  self.facts = m;
  self.facts_known = true;
  send_cluster_report(self, out);
}

void on(cluster_agent& self, const timer_fired& m, const context& ctx, outbox& out) {
  if (m.name == "dial" && !self.link) dial(self, out);
  if (m.name == "heartbeat" && self.link && self.link->accepted) {
    to_hub(self, heartbeat{ctx.now}, out);
    arm_heartbeat(self, ctx, out);
  }
}

}  // namespace wh
