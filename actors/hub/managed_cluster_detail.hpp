#pragma once
#include "actors/hub/managed_cluster.hpp"
#include "actors/shared/objects.hpp"

/// Shared by the source files of managed_cluster; nobody else includes this.
namespace wh::cluster_detail {

object_key cluster_key(const managed_cluster& self);
object_key work_key(const managed_cluster& self, const std::string& work);

/// Takes the typed facts of a ManagedCluster document.
void note_cluster(managed_cluster& self, const document& doc);
managed_cluster::work_entry entry_of(const document& work);

void tell_spoke(const managed_cluster& self, frame_to_spoke frame, outbox& out);
void send_welcome(const managed_cluster& self, const context& ctx, outbox& out);

/// Sends a work's prescription to the synced spoke. The work must carry our finalizer already (or be in the same batch).
void send_work(const managed_cluster& self, const document& work, outbox& out);
/// True when changes of works go to the spoke at once.
bool pushes(const managed_cluster& self);

/// Tells the synced spoke which namespaces to carry, if it knows the frame.
void send_namespaces(const managed_cluster& self, const context& ctx, outbox& out);

/// Sets conditions and facts of a cluster report on the document.
void apply_report(document& cluster, const cluster_report& report, instant now);
void arm_grace(const managed_cluster& self, const context& ctx, outbox& out);

/// Marks every work for deletion (the cluster goes).
void delete_works(managed_cluster& self, const context& ctx, outbox& out);
/// The ManagedCluster object is gone: its spoke, if connected, is told and sent away.
void forget_cluster(managed_cluster& self, outbox& out);

}  // namespace wh::cluster_detail
