#include "actors/hub/managed_cluster.hpp"

#include <charconv>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"

namespace wh {

using namespace cluster_detail;

namespace cluster_detail {

object_key cluster_key(const managed_cluster& self) { return {names::managed_clusters, "", self.name}; }
object_key work_key(const managed_cluster& self, const std::string& work) {
  return {names::manifest_works, self.name, work};
}
object_key lease_key(const managed_cluster& self) { return {names::leases, self.name, names::cluster_lease}; }

void note_cluster(managed_cluster& self, const document& doc) {
  self.exists = true;
  self.accepted = bool_at(doc, {"spec", "hubAcceptsClient"}, false);
  self.deleting = is_deleting(doc);
  self.abandoned =
      annotation_of(doc, names::detach_annotation) == "force" || !annotation_of(doc, names::left_at).empty();
  // 0 is treated as the default, as OCM's hub does.
  const auto seconds = int_at(doc, {"spec", "leaseDurationSeconds"}, 60);
  self.lease = std::chrono::seconds(seconds > 0 ? seconds : 60);
  self.key_sha256 = annotation_of(doc, names::key_annotation);
  const auto time_of = [&](const char* annotation) {
    const auto at = parse_rfc3339(annotation_of(doc, annotation));
    return at ? *at : instant{};
  };
  self.certificate_since = time_of(names::certificate_since);
  self.certificate_until = time_of(names::certificate_until);
  self.namespaces = managed_namespaces_of(doc);
  self.available = condition_status(doc, names::available);
  self.clock_synced = condition_status(doc, names::clock_synced);
  self.skip_clock_check = annotation_of(doc, names::skip_clock_check) == "true";
}

managed_cluster::work_entry entry_of(const document& work) {
  managed_cluster::work_entry entry{.uid = std::string(uid_of(work)),
                                    .gen = generation_of(work),
                                    .deleting = is_deleting(work),
                                    .finalizer = has_finalizer(work, names::work_finalizer)};
  const auto behind = annotation_of(work, names::behind_annotation);
  std::int64_t newer = 0;
  std::from_chars(behind.data(), behind.data() + behind.size(), newer);
  entry.behind = generation(newer);
  return entry;
}

void write_issued(const managed_cluster& self, document& cluster) {
  if (self.issued_until > self.certificate_until)
    cluster["metadata"]["annotations"][names::certificate_until] = to_rfc3339(self.issued_until);
}

void keep_issued(managed_cluster& self, const context& ctx, outbox& out) {
  if (self.issued_until <= self.certificate_until) return;
  change_cluster(self, ctx, out, [](document&) {});
  self.issued_until = self.certificate_until;  // the text has whole seconds
}

bool namespace_terminating(const managed_cluster& self, const context& ctx) {
  const object_key ns{names::namespaces, "", self.name};
  const auto existing = ctx.data.read(ns);
  return existing && is_deleting(decode_stored(ns, existing->body));
}

void cluster_event(const managed_cluster& self, const document& cluster, const event_note& what, const context& ctx,
                   outbox& out) {
  const bool own = ctx.data.read({names::namespaces, "", self.name}) && !namespace_terminating(self, ctx);
  record_event(cluster, own ? self.name : "default", "registration-controller", what, ctx, out);
}

void forget_cluster(managed_cluster& self, outbox& out) {
  dismiss(self, errc::not_found, "the cluster was deleted on the hub", out);
  const auto works = std::move(self.works);
  self = make_managed_cluster(std::move(self.name), std::move(self.settings));
  self.works = works;
  if (!self.works.empty()) out.wake("leftovers", duration{0});
}

}  // namespace cluster_detail

managed_cluster make_managed_cluster(std::string name, registration_settings settings) {
  managed_cluster self;
  self.name = std::move(name);
  self.settings = std::move(settings);
  return self;
}

void restore(managed_cluster& self, const context& ctx, outbox& out) {
  // Heartbeats are not stored: after a restart grace starts anew, so that a hub's own pause never expires a lease.
  self.renewed = ctx.now;
  for (const auto& r : ctx.data.list({names::manifest_works, self.name, ""}))
    self.works[r.key.name] = entry_of(decode_stored(r.key, r.body));
  if (auto lease = ctx.data.read(lease_key(self))) self.lease_uid = uid_of(decode_stored(lease_key(self), lease->body));
  if (auto cluster = ctx.data.read(cluster_key(self))) {
    const auto doc = decode_stored(cluster_key(self), cluster->body);
    note_cluster(self, doc);
    // Sessions end with the hub that held them.
    if (condition_status(doc, names::link_connected) == "True")
      change_cluster(self, ctx, out, [&](document& c) {
        set_condition(c["status"]["conditions"],
                      {.type = names::link_connected,
                       .status = "False",
                       .reason = "HubRestarted",
                       .message = "The hub has started again and waits for the cluster to connect."},
                      ctx.now);
      });
  }
  arm_grace(self, ctx, out);
  if (self.deleting) out.wake("removal", duration{0});
}

void on(managed_cluster& self, const object_changed& m, const context& ctx, outbox& out) {
  const auto& key = m.what.key;
  if (key.resource == names::csrs) {
    if (!m.what.body) return;
    const auto csr = decode_stored(key, m.what.body);
    answer_waiting(self, csr, ctx, out);
    accept_automatically(self, csr, ctx, out);
    return keep_issued(self, ctx, out);
  }
  if (key.resource == names::cluster_addons) {
    if (self.deleting) out.wake("removal", duration{0});
    return;
  }
  if (self.exists) out.wake("access", duration{0});
}

void on(managed_cluster& self, const timer_fired& m, const context& ctx, outbox& out) {
  if (m.name == "grace") check_grace(self, ctx, out);
  if (m.name == "removal") remove_step(self, ctx, out);
  if (m.name == "leftovers") remove_leftovers(self, ctx, out);
  if (m.name == "access") keep_access(self, ctx, out);
  if (m.name == "addons") addons_unknown(self, ctx, out);
  if (m.name == "clock") check_clock(self, self.clock_shown, ctx, out);
  if (m.name == "duel") settle_duel(self, ctx, out);
  if (m.name == "duplicate")
    change_cluster(self, ctx, out, [&](document& c) {
      set_condition(c["status"]["conditions"],
                    {.type = names::duplicate_identity,
                     .status = "False",
                     .reason = "NotSeenAnyMore",
                     .message = "No second machine has shown up for a while."},
                    ctx.now);
    });
  if (m.name == "certificate" && self.peer)
    dismiss(self, errc::unauthorized, "the certificate of this connection has expired", out);
}

}  // namespace wh
