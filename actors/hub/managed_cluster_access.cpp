// Consent and its consequences: acceptance, denial, and the rights that follow from them.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/cluster_rbac.hpp"
#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/names.hpp"

namespace wh::cluster_detail {

namespace {

void add_lease(managed_cluster& self, const context& ctx, outbox& out) {
  const auto key = lease_key(self);
  if (ctx.data.read(key)) return;
  document lease = new_object(ctx, "coordination.k8s.io/v1", "Lease", self.name, names::cluster_lease);
  lease["metadata"].erase("generation");
  lease["metadata"]["labels"] = {{names::cluster_name_label, self.name}};
  lease["spec"] = {{"holderIdentity", names::cluster_lease},
                   {"leaseDurationSeconds", std::chrono::duration_cast<std::chrono::seconds>(self.lease).count()},
                   {"renewTime", to_rfc3339_micro(ctx.now)}};
  self.lease_uid = uid_of(lease);
  out.store(key, encode_body(lease));
}

bool was_approved_automatically(const document& csr) {
  const auto* conditions = find_path(csr, {"status", "conditions"});
  const auto* approved = conditions ? find_condition(*conditions, "Approved") : nullptr;
  return approved && string_at(*approved, {"reason"}) == names::auto_approval_reason;
}

}  // namespace

void accept_cluster(managed_cluster& self, document& cluster, const context& ctx, outbox& out) {
  add_finalizer(cluster, names::cluster_finalizer);
  set_condition(cluster["status"]["conditions"],
                {.type = names::hub_accepted,
                 .status = "True",
                 .reason = "HubClusterAdminAccepted",
                 .message = "Accepted by hub cluster admin"},
                ctx.now);
  grant_cluster_access(self.name, ctx, out);
  add_lease(self, ctx, out);
  self.renewed = ctx.now;
  record_event(cluster, self.name, "registration-controller",
               {.reason = "ManagedClusterAccepted",
                .message = fmt::format("managed cluster {} is accepted by hub cluster admin", self.name),
                .warning = false,
                .action = {}},
               ctx, out);
  out.log(note_level::info, "accepted");
}

void deny_cluster(managed_cluster& self, document& cluster, const context& ctx, outbox& out) {
  set_condition(cluster["status"]["conditions"],
                {.type = names::hub_accepted,
                 .status = "False",
                 .reason = "HubClusterAdminDenied",
                 .message = "Denied by hub cluster admin"},
                ctx.now);
  reduce_cluster_access(self.name, self.works.empty(), ctx, out);
  cluster_event(self, cluster,
                {.reason = "ManagedClusterDenied",
                 .message = fmt::format("managed cluster {} is denied by hub cluster admin", self.name),
                 .warning = true,
                 .action = {}},
                ctx, out);
  out.log(note_level::warning, "denied");
}

void accept_automatically(managed_cluster& self, const document& csr, const context& ctx, outbox& out) {
  const auto& users = self.settings.auto_approved_users;
  if (!self.settings.auto_approval || !self.exists || self.accepted || self.deleting ||
      !was_approved_automatically(csr) ||
      std::find(users.begin(), users.end(), string_at(csr, {"spec", "username"})) == users.end() ||
      namespace_terminating(self, ctx))
    return;
  bool accepted = false;
  change_cluster(self, ctx, out, [&](document& cluster) {
    // Once: who denies the cluster later is not overruled.
    if (!annotation_of(cluster, names::auto_accepted_on).empty()) return;
    cluster["metadata"]["annotations"][names::auto_accepted_on] = to_rfc3339(ctx.now);
    cluster["spec"]["hubAcceptsClient"] = true;
    accept_cluster(self, cluster, ctx, out);
    record_event(cluster, self.name, "registration-controller",
                 {.reason = "ManagedClusterAutoApproved",
                  .message = fmt::format("managed cluster {} is automatically accepted", self.name),
                  .warning = false,
                  .action = {}},
                 ctx, out);
    accepted = true;
  });
  if (!accepted) return;
  send_welcome(self, ctx, out);
  arm_grace(self, ctx, out);
}

void keep_access(managed_cluster& self, const context& ctx, outbox& out) {
  if (!self.exists || self.deleting) return;
  if (self.abandoned) return remove_leftovers(self, ctx, out);
  if (namespace_terminating(self, ctx)) return release_cluster_access(self.name, self.works.empty(), ctx, out);
  if (self.accepted) {
    grant_cluster_access(self.name, ctx, out);
    return add_lease(self, ctx, out);
  }
  if (!ctx.data.read({names::namespaces, "", self.name})) return;  // never accepted: it has no rights
  reduce_cluster_access(self.name, self.works.empty(), ctx, out);
  if (self.peer && self.peer->synced && !in_cleanup(self)) {
    self.peer->synced = false;
    send_welcome(self, ctx, out);
  }
}

}  // namespace wh::cluster_detail
