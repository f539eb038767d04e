#pragma once
#include "actors/spoke/work.hpp"

/// Shared by the source files of work; nobody else includes this.
namespace wh::work_detail {

inline constexpr duration eviction_grace =
    std::chrono::minutes(60);  ///< ocm: --appliedmanifestwork-eviction-grace-period
inline constexpr duration resync_period = std::chrono::minutes(4);  ///< ocm: ResyncInterval, jitter 0.5
inline constexpr duration drift_delay = std::chrono::milliseconds(20);
inline constexpr duration retry_base = std::chrono::milliseconds(200);
inline constexpr duration retry_cap = std::chrono::seconds(60);
inline constexpr int conflicts_max = 5;

cluster_object anchor_object(const work& self);
applied_object* find_applied(work& self, const cluster_object& object);
/// Same object whatever the API version (removal ignores it, spec 4).
bool same_object(const cluster_object& a, const cluster_object& b);
resource_identifier identifier_of(const cluster_object& object, const std::string& resource);

/// Sends one call; the answer continues the round at `step`.
void call(work& self, work::step_kind step, cluster_call request, outbox& out);
void get_object(work& self, work::step_kind step, const cluster_object& object, outbox& out);

// rounds (work_apply.cpp)
void begin_round(work& self, const context& ctx, outbox& out);
void end_round(work& self, const context& ctx, outbox& out);
void apply_next(work& self, const context& ctx, outbox& out);
void handle_anchor(work& self, const cluster_reply& m, const context& ctx, outbox& out);
void handle_apply(work& self, const cluster_reply& m, const context& ctx, outbox& out);

// removal (work_removal.cpp)
void begin_removals(work& self, const context& ctx, outbox& out);
void handle_removal(work& self, const cluster_reply& m, const context& ctx, outbox& out);
void handle_release(work& self, const cluster_reply& m, const context& ctx, outbox& out);

// status (work_status.cpp)
/// The status that this round found, on top of the last one (transition times).
document status_of_round(const work& self, const context& ctx);
/// Keeps a new status durably and offers it to the hub.
void report(work& self, document status, outbox& out);
/// Writes the durable state if it differs from what was written last.
void save_state(work& self, outbox& out);
void load_state(work& self, const document& doc);
void tell_agent(const work& self, outbox& out);
/// The work is over, here and on the hub: nothing of it is left to remember.
void forget(work& self, outbox& out);

/// resourceVersion as a number where it is one (the embedded cluster's always is), else 0.
revision revision_of(const document& object);

}  // namespace wh::work_detail
