#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/actor.hpp"

namespace wh {

/// The namespaces that the hub's sets want on this cluster: makes each with a label that says so, keeps it, and sets the
/// label to "false" when it is not wanted any more. Never deletes one. A part of the cluster agent, which passes it what
/// concerns it; one call to the cluster port at a time.
struct namespace_keeper {
  struct id {
    std::string hub_hash;  ///< a hub's label is its own, so that two hubs may want one namespace
    std::string name;
    friend auto operator<=>(const id&, const id&) = default;
    friend bool operator==(const id&, const id&) = default;
  };
  struct entry {
    bool wanted = true;                  ///< false: until the label says so too
    std::optional<std::string> outcome;  ///< what went wrong; empty: applied; none: not tried yet
  };
  std::map<id, entry> entries;  ///< durable (without outcomes): object managednamespaces/hub
  std::set<id> due;             ///< to be looked at

  struct step {
    id of;
    request_id call;
    bool wanted = true;
    bool looking = false;  ///< the label is read before it is set to "false"
  };
  std::optional<step> under_way;
  std::uint64_t next_call = 1;
};

inline constexpr const char* cluster_set_label_prefix = "clusterset.open-cluster-management.io/";
inline constexpr const char* namespaces_timer = "namespaces";
inline constexpr duration namespaces_retry = std::chrono::seconds(30);

void restore(namespace_keeper& self, const context& ctx, outbox& out);
/// Replaces what was wanted. Nothing is written or called if nothing differs.
void want(namespace_keeper& self, const managed_namespaces& m, outbox& out);
/// Looks again at what failed.
void retry(namespace_keeper& self, outbox& out);
void on_drift(namespace_keeper& self, const drifted& m, outbox& out);
/// True: an outcome changed.
bool on_reply(namespace_keeper& self, const cluster_reply& m, outbox& out);
/// Nothing is under way or due; what failed does not count.
bool is_settled(const namespace_keeper& self);
/// Names to what went wrong, of those that were tried.
std::map<std::string, std::string> outcomes(const namespace_keeper& self);
/// Forgets everything, also durably.
void forget(namespace_keeper& self, outbox& out);

}  // namespace wh
