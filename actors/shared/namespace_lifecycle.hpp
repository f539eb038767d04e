#pragma once
#include <map>
#include <string>

#include "actors/actor.hpp"
#include "actors/owners.hpp"

namespace wh {

/// Empties Terminating namespaces and then removes them. Creates are kept out by the batches' namespace_active
/// precondition, so an empty namespace stays empty. Namespaces that live get their ServiceAccount.
struct namespace_lifecycle {
  owner_lookup owners;
  std::map<std::string, int> terminating;  ///< passes so far, for the back-off
};

void restore(namespace_lifecycle& self, const context& ctx, outbox& out);
void on(namespace_lifecycle& self, const object_changed& m, const context& ctx, outbox& out);
void on(namespace_lifecycle& self, const timer_fired& m, const context& ctx, outbox& out);
void on(namespace_lifecycle& self, const admit_reply& m, const context& ctx, outbox& out);

}  // namespace wh
