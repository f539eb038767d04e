#pragma once
#include "actors/hub/cluster_sets.hpp"
#include "actors/shared/objects.hpp"

/// Shared by the source files of cluster_sets; nobody else includes this.
namespace wh::sets_detail {

/// Arms the timer of settle() unless it runs.
void settle_later(cluster_sets& self, outbox& out);
/// Writes and sends what is due; what must wait, or is too much for one batch, stays due and the timer runs again.
void settle(cluster_sets& self, const context& ctx, outbox& out);

/// Whether the hub makes and repairs a set of this name.
bool is_kept(const cluster_sets& self, const std::string& name);
/// Makes the sets default and global if they are not there, and takes edits of their selectors back.
/// False: one of them is being written, look again.
bool keep_sets(const cluster_sets& self, const context& ctx, outbox& out);

/// True if the document says already what is so.
bool condition_is_current(const cluster_sets::cluster_set& set, const document& doc);
bool binding_is_current(const cluster_sets& self, const document& doc);
/// What the sets of a cluster want on it, sorted by set, then name.
std::vector<managed_namespace> namespaces_of(const cluster_sets& self, const cluster_sets::cluster& c);

}  // namespace wh::sets_detail
