// What goes up and down once the link is there: prescriptions, reports of works, and the state of the cluster.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"
#include "actors/spoke/agent_detail.hpp"

namespace wh {

using namespace agent_detail;

namespace agent_detail {
namespace {

bool is_deleting(const cluster_agent& self, const std::string& work) {
  const auto it = self.held.find(work);
  return it != self.held.end() && it->second.deleting;
}

/// In clean-up only removals pass, in either direction.
bool passes(const cluster_agent& self, const std::string& work) {
  if (!self.link || !self.link->synced || self.leaving) return false;
  return self.link->accepted || is_deleting(self, work);
}

/// Says it once for each state of things, not with every report.
void tell_claims(cluster_agent& self, const chosen_claims& chosen, outbox& out) {
  std::string text;
  if (chosen.dropped > 0)
    text = fmt::format(
        "{} cluster claims beyond the limit of {} custom ones are not reported to the hub "
        "(--max-custom-cluster-claims)",
        chosen.dropped, self.options.claims.custom_max);
  if (!chosen.unsound.empty())
    text +=
        fmt::format("{}cluster claims with an empty value, or a value of more than {} characters, are not reported: {}",
                    text.empty() ? "" : "; ", claim_value_max, fmt::join(chosen.unsound, ", "));
  if (text == self.claims_told) return;
  self.claims_told = text;
  if (!text.empty()) out.log(note_level::warning, std::move(text));
}

cluster_report make_report(cluster_agent& self, outbox& out) {
  auto chosen = choose_claims(self.facts.claims, self.options.claims);
  tell_claims(self, chosen, out);
  return {.seq = self.report_seq,
          .available = *self.available,
          .available_reason = *self.available ? "ManagedClusterAvailable" : "ManagedClusterKubeAPIServerUnavailable",
          .available_message = *self.available ? "" : self.facts.message,
          .kubernetes_version = self.facts.kubernetes_version,
          .capacity = self.facts.capacity,
          .allocatable = self.facts.allocatable,
          .claims = std::move(chosen.claims),
          .claims_dropped = chosen.dropped,
          .namespaces = outcomes(self.namespaces)};
}

}  // namespace

void load_works(cluster_agent& self, const context& ctx) {
  for (const auto& r : ctx.data.list({names::prescriptions, "", ""})) {
    const auto doc = decode_stored(r.key, r.body);
    auto& work = self.held[r.key.name];
    work = {r.key.name, std::string(uid_of(doc)), generation_of(doc), wh::is_deleting(doc)};
    const object_key state{names::work_states, "", r.key.name};
    if (const auto stored = ctx.data.read(state))
      work.history = string_at(decode_stored(state, stored->body), {"hubHistory"});
    // Until the work says otherwise: after a restart of this actor alone it would not say so again.
    self.unreported.insert(r.key.name);
  }
}

void request_sync(cluster_agent& self, outbox& out) {
  sync_request sync;
  for (const auto& [name, work] : self.held) {
    sync.works.push_back(work);
    if (work.history == self.link->greeted) sync.works.back().history.clear();
  }
  to_hub(self, std::move(sync), out);
}

void handle_desired(cluster_agent& self, const work_desired& m, outbox& out) {
  if (!self.link->accepted && !(self.link->cleanup && m.deleting)) return;
  out.send(work_address(m.name), prescribe{m, self.link->hub_incarnation});
}

void handle_unknown(cluster_agent& self, const work_unknown& m, outbox& out) {
  // A hub that does not accept the cluster may confirm a removal, but not begin one this way.
  if (self.link->accepted || is_deleting(self, m.name)) out.send(work_address(m.name), withdraw{m.uid});
}

void handle_sync_done(cluster_agent& self, outbox& out) {
  self.link->synced = self.link->accepted || self.link->cleanup;
  if (!self.link->synced) return;
  // What was told in clean-up is not all that this hub has.
  if (self.link->accepted && self.hub_incarnation != self.link->hub_incarnation) {
    self.hub_incarnation = self.link->hub_incarnation;
    save_identity(self, out);
  }
  for (const auto& name : self.unreported)
    if (passes(self, name)) out.send(work_address(name), resend_report{});
  if (self.link->cleanup) return;
  tell(self, note_level::info, fmt::format("in sync with the hub: {} works", self.held.size()), out);
}

void offer_cluster_report(cluster_agent& self, const context& ctx, outbox& out) {
  if (!self.link || !self.link->accepted || !self.available || self.leaving) return;
  auto& link = *self.link;
  auto report = make_report(self, out);
  if (link.reported) {
    report.seq = link.reported->seq;
    if (report == *link.reported) return;
    const duration waited = ctx.now - link.reported_at;
    if (waited >= duration{0} && waited < report_pause) return out.wake("report", report_pause - waited);
  }
  report.seq = ++self.report_seq;
  link.reported = report;
  link.reported_at = ctx.now;
  to_hub(self, std::move(report), out);
}

void look_at_health(cluster_agent& self, const context& ctx, outbox& out) {
  if (!self.unhealthy_since) return;
  const duration waited = ctx.now - *self.unhealthy_since;
  if (waited < unhealthy_after) return out.wake("health", unhealthy_after - waited);
  if (self.available != false)
    out.log(note_level::warning, "the cluster's API server is not healthy: " + self.facts.message);
  self.available = false;
  offer_cluster_report(self, ctx, out);
}

}  // namespace agent_detail

void on(cluster_agent& self, const work_held& m, const context&, outbox& out) {
  if (m.gone) {
    self.held.erase(m.held.name);
    self.unreported.erase(m.held.name);
    if (self.leaving) on_work_gone(self, m.held.name, out);
    return;
  }
  self.held[m.held.name] = m.held;
  if (m.reports_pending) self.unreported.insert(m.held.name);
  else self.unreported.erase(m.held.name);
}

// That a report is pending stands in work_held, which comes with it: in a full mailbox either may be overtaken by the other.
void on(cluster_agent& self, const report_ready& m, const context&, outbox& out) {
  if (passes(self, m.report.name)) to_hub(self, m.report, out);
}

void on(cluster_agent& self, const finished_ready& m, const context&, outbox& out) {
  if (passes(self, m.finished.name)) to_hub(self, m.finished, out);
}

void on(cluster_agent& self, const cluster_facts& m, const context& ctx, outbox& out) {
  if (m.healthy) {
    self.facts = m;
    self.unhealthy_since.reset();
    self.available = true;
    out.cancel("health");
    return offer_cluster_report(self, ctx, out);
  }
  // What an ailing cluster says of its nodes and claims is not worth more than what is known.
  self.facts.healthy = false;
  self.facts.message = m.message;
  if (self.facts.kubernetes_version.empty()) self.facts.kubernetes_version = m.kubernetes_version;
  if (!self.unhealthy_since) self.unhealthy_since = ctx.now;
  look_at_health(self, ctx, out);
}

}  // namespace wh
