#include "actors/hub/managed_cluster.hpp"

#include <fmt/format.h>

#include "actors/hub/cluster_rbac.hpp"
#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"
#include "base/encoding.hpp"
#include "resources/cluster_set.hpp"

namespace wh {

using namespace cluster_detail;

namespace cluster_detail {

object_key cluster_key(const managed_cluster& self) { return {names::managed_clusters, "", self.name}; }
object_key work_key(const managed_cluster& self, const std::string& work) {
  return {names::manifest_works, self.name, work};
}

void note_cluster(managed_cluster& self, const document& doc) {
  self.exists = true;
  self.accepted = bool_at(doc, {"spec", "hubAcceptsClient"}, false);
  self.deleting = is_deleting(doc);
  // 0 is treated as the default, as OCM's hub does.
  const auto seconds = int_at(doc, {"spec", "leaseDurationSeconds"}, 60);
  self.lease = std::chrono::seconds(seconds > 0 ? seconds : 60);
  self.key_sha256 = annotation_of(doc, names::key_annotation);
  self.namespaces = managed_namespaces_of(doc);
}

managed_cluster::work_entry entry_of(const document& work) {
  return {.uid = std::string(uid_of(work)),
          .gen = generation_of(work),
          .deleting = is_deleting(work),
          .finalizer = has_finalizer(work, names::work_finalizer)};
}

void tell_spoke(const managed_cluster& self, frame_to_spoke frame, outbox& out) {
  if (self.peer) out.send(session_address(self.peer->session), send_to_spoke{.frame = std::move(frame)});
}

void arm_grace(const managed_cluster& self, const context& ctx, outbox& out) {
  if (!self.exists || !self.accepted) return out.cancel("grace");
  const duration left = self.renewed + lease_grace_times * self.lease - ctx.now;
  out.wake("grace", std::max(left, duration(std::chrono::milliseconds(1))));
}

void delete_works(managed_cluster& self, const context& ctx, outbox& out) {
  for (auto& [name, entry] : self.works) {
    if (entry.deleting) continue;
    auto work = draft::open(work_key(self, name), ctx);
    if (!work) continue;
    work->doc()["metadata"]["deletionTimestamp"] = to_rfc3339(ctx.now);
    work->doc()["metadata"]["deletionGracePeriodSeconds"] = 0;
    work->save(out);
    entry.deleting = true;
    if (entry.finalizer && pushes(self)) send_work(self, work->doc(), out);
  }
  // Without our finalizer, and none of others, the object went with this batch.
  std::erase_if(self.works, [&](const auto& w) {
    if (w.second.finalizer) return false;
    auto work = draft::open(work_key(self, w.first), ctx);
    const document* finalizers = work ? find_path(work->doc(), {"metadata", "finalizers"}) : nullptr;
    return !finalizers || finalizers->empty();
  });
}

void forget_cluster(managed_cluster& self, outbox& out) {
  if (self.peer)
    out.send(session_address(self.peer->session),
             send_to_spoke{.frame = refused{.code = errc::not_found,
                                            .message = "the cluster was deleted on the hub",
                                            .retry_after = {},
                                            .final = true},
                           .then_close = true});
  self.exists = self.accepted = self.deleting = false;
  self.key_sha256.clear();
  self.namespaces.clear();
  self.peer.reset();
}

}  // namespace cluster_detail

managed_cluster make_managed_cluster(std::string name) {
  managed_cluster self;
  self.name = std::move(name);
  return self;
}

void restore(managed_cluster& self, const context& ctx, outbox& out) {
  // Heartbeats are not stored: after a restart grace starts anew, so that a hub's own pause never expires a lease.
  self.renewed = ctx.now;
  if (auto cluster = ctx.data.read(cluster_key(self))) {
    const auto doc = decode_stored(cluster_key(self), cluster->body);
    note_cluster(self, doc);
    self.lease_expired = condition_status(doc, names::available) == "Unknown";
  }
  for (const auto& r : ctx.data.list({names::manifest_works, self.name, ""}))
    self.works[r.key.name] = entry_of(decode_stored(r.key, r.body));
  const object_key lease_key{names::leases, self.name, names::cluster_lease};
  if (auto lease = ctx.data.read(lease_key)) self.lease_uid = uid_of(decode_stored(lease_key, lease->body));
  arm_grace(self, ctx, out);
  if (self.deleting) out.wake("removal", duration{0});
}

namespace {

/// The CSR of a key has a fixed name, so that asking again after any crash finds the same request.
std::string csr_name_of(const managed_cluster& self, const std::string& key_sha256) {
  return self.name + "-" + key_sha256.substr(0, 10);
}

void refuse_join(const join_asked& m, errc code, std::string why, outbox& out) {
  out.log(note_level::warning, fmt::format("join from {} refused: {}", m.remote, why));
  out.send(session_address(m.session),
           send_to_spoke{.frame = refused{.code = code, .message = std::move(why), .retry_after = {}, .final = true},
                         .then_close = true});
}

document new_csr(const managed_cluster& self, const join_asked& m, const std::string& name, const context& ctx) {
  document csr = new_object(ctx, "certificates.k8s.io/v1", "CertificateSigningRequest", "", name);
  csr["metadata"]["labels"] = {{names::cluster_name_label, self.name}};
  const std::string token_id = m.request.token.substr(0, m.request.token.find('.'));
  csr["spec"] = {{"request", to_base64(m.request.csr_pem)},
                 {"signerName", names::client_signer},
                 {"usages", {"digital signature", "key encipherment", "client auth"}},
                 {"username", "system:bootstrap:" + token_id},
                 {"groups", {"system:bootstrappers:managedcluster", "system:authenticated"}}};
  csr["status"] = document::object();  // approvers set its conditions
  return csr;
}

/// What the CSR's state means for the one who waits. True when the wait is over.
bool answer_applicant(managed_cluster& self, const document& csr, const context& ctx, outbox& out) {
  const auto session = session_address(self.waiting->session);
  const auto certificate = from_base64(string_at(csr, {"status", "certificate"}));
  if (certificate && !certificate->empty()) {
    out.send(session, send_to_spoke{.frame = join_certificate{*certificate, ctx.crypto.ca_pem()}, .then_close = true});
    return true;
  }
  if (condition_status(csr, "Denied") == "True" || condition_status(csr, "Failed") == "True") {
    const std::string why = fmt::format(
        "certificate signing request {} was denied on the hub; its administrator can delete it "
        "(kubectl delete csr {}) to let this cluster ask again",
        name_of(csr), name_of(csr));
    out.send(session, send_to_spoke{.frame = refused{.code = errc::forbidden,
                                                     .message = why,
                                                     .retry_after = std::chrono::seconds(30),
                                                     .final = false},
                                    .then_close = true});
    return true;
  }
  out.send(session,
           send_to_spoke{.frame = join_pending{fmt::format(
                             "waiting for the hub's administrator: whctl accept {} (or kubectl certificate approve {})",
                             self.name, name_of(csr))}});
  return false;
}

void register_cluster(managed_cluster& self, const join_asked& m, const std::string& key, const context& ctx,
                      outbox& out) {
  auto cluster = draft::open(cluster_key(self), ctx);
  if (cluster) {
    cluster->doc()["metadata"]["annotations"][names::key_annotation] = key;
    cluster->save(out);
    self.key_sha256 = key;
    return;
  }
  document doc = new_object(ctx, "cluster.open-cluster-management.io/v1", "ManagedCluster", "", self.name);
  auto& annotations = doc["metadata"]["annotations"] = document::object();
  for (const auto& [k, v] : m.request.annotations)
    if (k.starts_with("agent.open-cluster-management.io/")) annotations[k] = v;
  annotations[names::key_annotation] = key;
  if (self.joins_default_set) doc["metadata"]["labels"][cluster_set_label] = default_cluster_set;
  doc["metadata"]["finalizers"] = document::array({names::cluster_finalizer});
  doc["spec"] = {{"hubAcceptsClient", false}, {"leaseDurationSeconds", 60}};
  out.writes.preconditions.push_back(absent{cluster_key(self)});
  out.store(cluster_key(self), encode_body(doc));
  note_cluster(self, doc);
  out.log(note_level::info, fmt::format("registered from {}; waits for: whctl accept {}", m.remote, self.name));
}

}  // namespace

void on(managed_cluster& self, const join_asked& m, const context& ctx, outbox& out) {
  auto csr = ctx.crypto.inspect_csr(m.request.csr_pem);
  if (!csr)
    return refuse_join(m, errc::malformed, "the certificate signing request is not valid: " + csr.err().message, out);
  if (self.deleting)
    return refuse_join(m, errc::conflict, fmt::format("cluster {} is being deleted on the hub", self.name), out);
  if (!self.key_sha256.empty() && self.key_sha256 != csr->key_sha256)
    return refuse_join(
        m, errc::already_exists,
        fmt::format("cluster name {0} is taken by another key: choose another --cluster-name, or, if this "
                    "machine replaces that one, delete it on the hub first (kubectl delete managedcluster {0})",
                    self.name),
        out);
  if (!self.exists || self.key_sha256.empty()) register_cluster(self, m, csr->key_sha256, ctx, out);

  self.waiting = {m.session, csr_name_of(self, csr->key_sha256)};
  const object_key key{names::csrs, "", self.waiting->csr_name};
  document request;
  if (auto known = ctx.data.read(key)) {
    request = decode_stored(key, known->body);
  } else {
    request = new_csr(self, m, key.name, ctx);
    out.writes.preconditions.push_back(absent{key});
    out.store(key, encode_body(request));
  }
  if (answer_applicant(self, request, ctx, out)) self.waiting.reset();
}

void on(managed_cluster& self, const object_changed& m, const context& ctx, outbox& out) {
  const auto& key = m.what.key;
  if (key.resource != names::csrs || !self.waiting || key.name != self.waiting->csr_name || !m.what.body) return;
  if (answer_applicant(self, decode_stored(key, m.what.body), ctx, out)) self.waiting.reset();
}

namespace {

/// Acts on a deleted cluster: works first, then access, then the object itself. Runs again whenever a work has gone.
void remove_step(managed_cluster& self, const context& ctx, outbox& out) {
  auto cluster = draft::open(cluster_key(self), ctx);
  if (!cluster || !is_deleting(cluster->doc())) return;
  delete_works(self, ctx, out);
  if (!self.works.empty())
    return out.log(note_level::info, fmt::format("deletion waits for {} works", self.works.size()));
  remove_cluster_access(self.name, ctx, out);
  remove_finalizer(cluster->doc(), names::cluster_finalizer);
  cluster->save(out);
  if (cluster->released()) forget_cluster(self, out);
}

void check_grace(managed_cluster& self, const context& ctx, outbox& out) {
  if (!self.exists || !self.accepted) return;
  if (ctx.now < self.renewed + lease_grace_times * self.lease) return arm_grace(self, ctx, out);
  if (self.lease_expired) return;
  auto cluster = draft::open(cluster_key(self), ctx);
  if (!cluster) return;
  set_condition(cluster->doc()["status"]["conditions"],
                {.type = names::available,
                 .status = "Unknown",
                 .reason = "ManagedClusterLeaseUpdateStopped",
                 .message = "Registration agent stopped updating its lease."},
                ctx.now);
  cluster->save(out);
  self.lease_expired = true;
  out.log(note_level::warning,
          fmt::format("no heartbeat for {}: Available is Unknown", human_duration(ctx.now - self.renewed)));
}

}  // namespace

void on(managed_cluster& self, const timer_fired& m, const context& ctx, outbox& out) {
  if (m.name == "grace") check_grace(self, ctx, out);
  if (m.name == "removal") remove_step(self, ctx, out);
}

}  // namespace wh
