// What the cluster is, as its spoke tells it, and what the hub concludes: availability, clock, taints.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"
#include "resources/quantity.hpp"

namespace wh {

using namespace cluster_detail;

namespace {

/// More than these a cluster has no business to say of itself (its own limit is 20 custom ones by default).
constexpr std::size_t claims_max = 256;
constexpr std::size_t claim_name_max = 253;
constexpr std::size_t claim_value_max = 1024;
constexpr std::size_t text_max = 1024;
constexpr std::size_t resources_max = 256;
constexpr std::size_t resource_name_max = 317;  ///< a prefix of 253, a name of 63
constexpr std::size_t quantity_max = 64;

/// Which of the two taints Available asks for; empty: none (spec 7.1).
std::string_view taint_for(std::string_view available) {
  if (available == "True") return {};
  return available == "False" ? names::taint_unavailable : names::taint_unreachable;
}

bool is_reserved(const std::string& claim) {
  return claim == "id.k8s.io" || claim == "kubeversion.open-cluster-management.io" ||
         claim == "platform.open-cluster-management.io" || claim == "product.open-cluster-management.io";
}

/// Reserved ones first, then custom ones, each by name; what the API's limits do not allow is left out.
document claims_of(const cluster_report& report) {
  document reserved = document::array(), custom = document::array();
  for (const auto& [name, value] : report.claims) {
    if (name.empty() || name.size() > claim_name_max || value.empty() || value.size() > claim_value_max) continue;
    if (reserved.size() + custom.size() >= claims_max) break;
    (is_reserved(name) ? reserved : custom).push_back({{"name", name}, {"value", value}});
  }
  for (auto& claim : custom) reserved.push_back(std::move(claim));
  return reserved;
}

/// A quantity that no client can read would make the list of all clusters unreadable to it.
std::map<std::string, std::string> sound_quantities(const std::map<std::string, std::string>& said) {
  std::map<std::string, std::string> out;
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/';
  };
  for (const auto& [resource, quantity] : said) {
    if (out.size() >= resources_max) break;
    if (resource.empty() || resource.size() > resource_name_max || quantity.size() > quantity_max) continue;
    if (std::all_of(resource.begin(), resource.end(), plain) && parse_quantity_milli(quantity))
      out.emplace(resource, quantity);
  }
  return out;
}

void apply_report(document& cluster, const cluster_report& report, instant now) {
  auto& status = cluster["status"];
  auto& conditions = status["conditions"];
  set_condition(
      conditions,
      {.type = names::joined, .status = "True", .reason = "ManagedClusterJoined", .message = "Managed cluster joined"},
      now);
  set_condition(
      conditions,
      {.type = names::available,
       .status = report.available ? "True" : "False",
       .reason = report.available ? "ManagedClusterAvailable" : "ManagedClusterKubeAPIServerUnavailable",
       .message = report.available ? "Managed cluster is available" : report.available_message.substr(0, text_max)},
      now);
  if (!report.kubernetes_version.empty())
    status["version"] = {{"kubernetes", report.kubernetes_version.substr(0, text_max)}};
  // Other writers may keep capacities of their own; allocatable is the agent's alone (spec 7.2).
  for (const auto& [resource, quantity] : sound_quantities(report.capacity))
    if (status["capacity"].contains(resource) || status["capacity"].size() < resources_max)
      status["capacity"][resource] = quantity;
  if (!report.allocatable.empty()) status["allocatable"] = sound_quantities(report.allocatable);
  report_namespaces(cluster, report.namespaces, now);
  auto claims = claims_of(report);
  if (claims.empty()) status.erase("clusterClaims");
  else status["clusterClaims"] = std::move(claims);
}

/// A cluster whose clock is wrong says nothing about itself until it is right again, as OCM's agent (spec 7).
void take_report(managed_cluster& self, const cluster_report& report, const context& ctx, outbox& out) {
  if (self.clock_synced == "False") return;
  change_cluster(self, ctx, out, [&](document& cluster) {
    apply_report(cluster, report, ctx.now);
    if (report.claims_dropped > 0)
      cluster_event(self, cluster,
                    {.reason = "CustomClusterClaimsTruncated",
                     .message = fmt::format("{} custom cluster claims are beyond the limit and not exposed.",
                                            report.claims_dropped),
                     .warning = true,
                     .action = {}},
                    ctx, out);
  });
}

void announce_availability(const managed_cluster& self, const document& cluster, std::string_view now_is,
                           const context& ctx, outbox& out) {
  event_note what;
  if (now_is == "True") {
    what = {.reason = "Available",
            .message = fmt::format("Managed cluster {} is available.", self.name),
            .warning = false,
            .action = {}};
  } else if (now_is == "False") {
    what = {.reason = "Unavailable",
            .message = fmt::format("The API server of managed cluster {} is not healthy.", self.name),
            .warning = true,
            .action = {}};
  } else {
    what = {.reason = "AvailableUnknown",
            .message = fmt::format("Managed cluster {} has stopped renewing its lease.", self.name),
            .warning = true,
            .action = {}};
  }
  cluster_event(self, cluster, what, ctx, out);
}

void renew_lease(managed_cluster& self, const context& ctx, outbox& out) {
  if (self.lease_uid.empty()) return;
  out.writes.in_memory = true;
  out.store(
      lease_key(self),
      share(fmt::format(R"({{"metadata":{{"labels":{{"{}":"{}"}},"name":"{}","namespace":"{}","uid":"{}"}},)"
                        R"("apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
                        R"("spec":{{"holderIdentity":"{}","leaseDurationSeconds":{},"renewTime":"{}"}}}})",
                        names::cluster_name_label, self.name, names::cluster_lease, self.name, self.lease_uid,
                        names::cluster_lease, std::chrono::duration_cast<std::chrono::seconds>(self.lease).count(),
                        to_rfc3339_micro(ctx.now))));
}

std::string_view clock_verdict(const managed_cluster& self, instant theirs, instant ours) {
  const duration limit = lease_grace_times * self.lease;
  const bool synced = self.skip_clock_check || (ours - theirs < limit && theirs - ours < limit);
  return synced ? "True" : "False";
}

}  // namespace

namespace cluster_detail {

void settle(const managed_cluster& self, document& cluster, const context& ctx, outbox& out) {
  const auto available = condition_status(cluster, names::available);
  if (available != self.available && !available.empty()) announce_availability(self, cluster, available, ctx, out);
  if (is_deleting(cluster)) return;
  const auto wanted = taint_for(available);
  document taints = document::array();
  bool there = false, changed = false;
  if (const auto* had = find_path(cluster, {"spec", "taints"}); had && had->is_array()) {
    for (const auto& taint : *had) {
      const auto key = string_at(taint, {"key"});
      const bool stale = key != wanted && (key == names::taint_unavailable || key == names::taint_unreachable);
      there |= key == wanted;
      changed |= stale;
      if (!stale) taints.push_back(taint);
    }
  }
  if (!wanted.empty() && !there) {
    taints.push_back({{"key", wanted}, {"effect", "NoSelect"}, {"timeAdded", to_rfc3339(ctx.now)}});
    changed = true;
  }
  if (!changed) return;
  if (taints.empty()) cluster["spec"].erase("taints");
  else cluster["spec"]["taints"] = std::move(taints);
}

void arm_grace(const managed_cluster& self, const context& ctx, outbox& out) {
  if (!self.exists || !self.accepted) return out.cancel("grace");
  const duration left = self.renewed + lease_grace_times * self.lease - ctx.now;
  out.wake("grace", std::max(left, duration(std::chrono::milliseconds(1))));
}

void check_grace(managed_cluster& self, const context& ctx, outbox& out) {
  if (!self.exists || !self.accepted) return;
  if (ctx.now < self.renewed + lease_grace_times * self.lease) return arm_grace(self, ctx, out);
  if (self.available == "Unknown") return;
  change_cluster(self, ctx, out, [&](document& cluster) {
    set_condition(cluster["status"]["conditions"],
                  {.type = names::available,
                   .status = "Unknown",
                   .reason = "ManagedClusterLeaseUpdateStopped",
                   .message = "Registration agent stopped updating its lease."},
                  ctx.now);
  });
  out.wake("addons", duration{0});
  out.log(note_level::warning,
          fmt::format("no heartbeat for {}: Available is Unknown", human_duration(ctx.now - self.renewed)));
}

void handle_cluster_report(managed_cluster& self, const cluster_report& m, const context& ctx, outbox& out) {
  if (!self.accepted) return;
  self.renewed = ctx.now;
  if (self.available == "Unknown") out.log(note_level::info, "heartbeat is back");
  take_report(self, m, ctx, out);
  self.peer->last_report = m;
  arm_grace(self, ctx, out);
  tell_spoke(self, report_ack{.work = "", .uid = "", .seq = m.seq}, out);
}

void handle_heartbeat(managed_cluster& self, const heartbeat& m, const context& ctx, outbox& out) {
  if (!self.accepted) return;
  // Over the link a renewal is a renewal whatever the spoke's clock says: the hub's own tells when it came.
  self.renewed = ctx.now;
  const auto verdict = m.sent == instant{} ? self.clock_synced : std::string(clock_verdict(self, m.sent, ctx.now));
  // A write of conditions and a renewal in memory cannot share one batch; the renewal comes with the next beat.
  if (verdict != self.clock_synced) return check_clock(self, m.sent, ctx, out), arm_grace(self, ctx, out);
  if (self.available == "Unknown" && self.peer->last_report) {
    out.log(note_level::info, "heartbeat is back");
    take_report(self, *self.peer->last_report, ctx, out);
    return arm_grace(self, ctx, out);
  }
  renew_lease(self, ctx, out);
}

void check_clock(managed_cluster& self, instant theirs, const context& ctx, outbox& out) {
  const auto verdict = clock_verdict(self, theirs, ctx.now);
  if (verdict == self.clock_synced) return;
  const bool synced = verdict == "True";
  change_cluster(self, ctx, out, [&](document& cluster) {
    set_condition(
        cluster["status"]["conditions"],
        {.type = names::clock_synced,
         .status = std::string(verdict),
         .reason = synced ? "ManagedClusterClockSynced" : "ManagedClusterClockOutOfSync",
         .message = synced
                        ? "The clock of the managed cluster is synced with the hub."
                        : fmt::format("The clock of hub and agent is out of sync: the agent's shows {}, the hub's {}. "
                                      "The agent's status is not taken until they agree.",
                                      to_rfc3339(theirs), to_rfc3339(ctx.now))},
        ctx.now);
    if (synced && self.peer && self.peer->last_report) apply_report(cluster, *self.peer->last_report, ctx.now);
    if (!synced)
      cluster_event(self, cluster,
                    {.reason = "ClockOutOfSync",
                     .message = fmt::format("The clock of managed cluster {} shows {}, the hub's {}.", self.name,
                                            to_rfc3339(theirs), to_rfc3339(ctx.now)),
                     .warning = true,
                     .action = {}},
                    ctx, out);
  });
  out.log(synced ? note_level::info : note_level::warning,
          synced ? "the cluster's clock agrees with the hub's again"
                 : fmt::format("the cluster's clock shows {}: its status is not taken", to_rfc3339(theirs)));
}

/// Nobody can say more of the add-ons than of their cluster (spec 10).
void addons_unknown(const managed_cluster& self, const context& ctx, outbox& out) {
  if (self.available != "Unknown") return;
  for (const auto& r : ctx.data.list({names::cluster_addons, self.name, ""})) {
    auto addon = draft::open(r.key, ctx);
    if (!addon) continue;
    set_condition(addon->doc()["status"]["conditions"],
                  {.type = "Available",
                   .status = "Unknown",
                   .reason = "ManagedClusterLeaseUpdateStopped",
                   .message = "Registration agent stopped updating its lease."},
                  ctx.now);
    if (addon->save(out) && !addon->in_flight()) out.writes.preconditions.push_back(at_revision{r.key, addon->rev()});
  }
}

}  // namespace cluster_detail

}  // namespace wh
