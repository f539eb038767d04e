#pragma once
#include "actors/hub/managed_cluster.hpp"
#include "actors/shared/events.hpp"
#include "actors/shared/objects.hpp"

/// Shared by the source files of managed_cluster; nobody else includes this.
namespace wh::cluster_detail {

object_key cluster_key(const managed_cluster& self);
object_key work_key(const managed_cluster& self, const std::string& work);
object_key lease_key(const managed_cluster& self);

/// Takes the typed facts of a ManagedCluster document.
void note_cluster(managed_cluster& self, const document& doc);
managed_cluster::work_entry entry_of(const document& work);
bool namespace_terminating(const managed_cluster& self, const context& ctx);

/// What follows from a document that is about to be saved: taints, and Events about availability.
void settle(const managed_cluster& self, document& cluster, const context& ctx, outbox& out);

/// Writes down how long the certificate lasts that is being handed out (issued_until), in the unit that hands it out.
void write_issued(const managed_cluster& self, document& cluster);
/// The same, if nothing else in this handler has changed the ManagedCluster.
void keep_issued(managed_cluster& self, const context& ctx, outbox& out);

/// Changes the ManagedCluster and saves it with what follows. Once in a handler: a second change would not see the first.
/// False: there is no such object.
template <class Change>
bool change_cluster(managed_cluster& self, const context& ctx, outbox& out, Change change) {
  auto cluster = draft::open(cluster_key(self), ctx);
  if (!cluster) return false;
  const document spec = cluster->doc().value("spec", document());
  change(cluster->doc());
  write_issued(self, cluster->doc());
  settle(self, cluster->doc(), ctx, out);
  if (cluster->doc().value("spec", document()) != spec)
    cluster->doc()["metadata"]["generation"] = generation_of(cluster->doc()).get() + 1;
  note_cluster(self, cluster->doc());
  cluster->save(out);
  return true;
}

/// An Event about the ManagedCluster, in its namespace once there is one.
void cluster_event(const managed_cluster& self, const document& cluster, const event_note& what, const context& ctx,
                   outbox& out);

// --- link ------------------------------------------------------------------------------------------------------------

void tell_spoke(const managed_cluster& self, frame_to_spoke frame, outbox& out);
void send_welcome(const managed_cluster& self, const context& ctx, outbox& out);
/// Ends a session with a reason that the spoke is told; `final`: a person must act.
void refuse_session(session_id session, errc code, std::string why, bool final, outbox& out);
/// The spoke, if connected, is told why and sent away.
void dismiss(managed_cluster& self, errc code, std::string why, outbox& out);
void handle_renewal(managed_cluster& self, const renew_request& m, const context& ctx, outbox& out);
/// A certificate request of the cluster has changed: whoever waits for it is answered.
void answer_waiting(managed_cluster& self, const document& csr, const context& ctx, outbox& out);
bool is_revoked(const managed_cluster& self);
/// Refuses every certificate that was signed until now, whatever its key.
void revoke_until_now(const managed_cluster& self, document& cluster, instant now);
/// The way out of a duel between two machines with one identity.
void settle_duel(managed_cluster& self, const context& ctx, outbox& out);
void handle_leaving(managed_cluster& self, const leaving& m, const context& ctx, outbox& out);

// --- works -----------------------------------------------------------------------------------------------------------

/// Sends a work's prescription to the synced spoke. The work must carry our finalizer already (or be in the same batch).
void send_work(const managed_cluster& self, const document& work, outbox& out);
/// True when changes of works go to the spoke at once.
bool pushes(const managed_cluster& self);
/// True when removals of works do, also of a cluster that is not accepted any more.
bool pushes_removals(const managed_cluster& self);
/// Not accepted, but something of ours may be out there.
bool in_cleanup(const managed_cluster& self);
void handle_sync(managed_cluster& self, const sync_request& m, const context& ctx, outbox& out);
void handle_work_report(managed_cluster& self, const work_report& m, const context& ctx, outbox& out);
void handle_finished(managed_cluster& self, const work_finished& m, const context& ctx, outbox& out);
/// A work has gone: whatever waited for that goes on.
void after_work_gone(managed_cluster& self, outbox& out);

// --- status ----------------------------------------------------------------------------------------------------------

/// Tells the synced spoke which namespaces to carry for its sets, if it knows the frame.
void send_namespaces(const managed_cluster& self, const context& ctx, outbox& out);
void handle_cluster_report(managed_cluster& self, const cluster_report& m, const context& ctx, outbox& out);
void handle_heartbeat(managed_cluster& self, const heartbeat& m, const context& ctx, outbox& out);
/// The cluster's clock showed `theirs` now.
void check_clock(managed_cluster& self, instant theirs, const context& ctx, outbox& out);
void arm_grace(const managed_cluster& self, const context& ctx, outbox& out);
void check_grace(managed_cluster& self, const context& ctx, outbox& out);
void addons_unknown(const managed_cluster& self, const context& ctx, outbox& out);

// --- access ----------------------------------------------------------------------------------------------------------

/// Everything that acceptance brings, in the one batch that makes it true.
void accept_cluster(managed_cluster& self, document& cluster, const context& ctx, outbox& out);
void deny_cluster(managed_cluster& self, document& cluster, const context& ctx, outbox& out);
/// Automatic acceptance, once: the request was approved by itself because of who sent it.
void accept_automatically(managed_cluster& self, const document& csr, const context& ctx, outbox& out);
/// Makes namespace, rights and lease again what the cluster's state says they are.
void keep_access(managed_cluster& self, const context& ctx, outbox& out);

// --- removal ---------------------------------------------------------------------------------------------------------

/// Acts on a deleted cluster: add-ons, works, access, then the object itself. Runs again whenever something has gone.
void remove_step(managed_cluster& self, const context& ctx, outbox& out);
/// The object went although works were left (somebody took its finalizers away): they go, too.
void remove_leftovers(managed_cluster& self, const context& ctx, outbox& out);
/// The ManagedCluster object is gone: its spoke, if connected, is told and sent away.
void forget_cluster(managed_cluster& self, outbox& out);

}  // namespace wh::cluster_detail
