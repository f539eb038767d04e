#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "actors/owners.hpp"

namespace wh {

/// Owner references: when an owner is gone, its dependents lose the reference, and go themselves when it was the last.
/// An owner that is deleted with `Foreground` waits for the dependents that block it, with `Orphan` for all of them to
/// lose their reference: the finalizers that say so are the collector's to remove.
/// Fed with the changes of objects that have owner references or such finalizers, and with every removal.
struct garbage_collector {
  owner_lookup owners;
  std::function<std::vector<std::string>()> resources;  ///< every resource of the node's kinds

  std::map<std::string, std::set<object_key>> dependents;  ///< by owner uid
  std::map<object_key, std::vector<std::string>> owned_by;
  std::set<std::string> due;  ///< uids of removed owners whose dependents are still to be handled
  std::map<std::string, object_key> waiting;  ///< by uid: owners that are being deleted in the foreground or orphaning
};

void restore(garbage_collector& self, const context& ctx, outbox& out);
void on(garbage_collector& self, const object_changed& m, const context& ctx, outbox& out);
void on(garbage_collector& self, const timer_fired& m, const context& ctx, outbox& out);
void on(garbage_collector& self, const admit_reply& m, const context& ctx, outbox& out);

/// Whether a change concerns the collector; cheap enough to ask of every change.
bool concerns_garbage_collector(const change& c);

}  // namespace wh
