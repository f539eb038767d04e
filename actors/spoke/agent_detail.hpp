#pragma once
#include "actors/spoke/cluster_agent.hpp"

/// Shared by the source files of cluster_agent; nobody else includes this.
namespace wh::agent_detail {

inline constexpr duration renewal_pause =
    std::chrono::minutes(5);  ///< between requests that are refused or not answered
inline constexpr duration certificate_check_max = std::chrono::hours(1);
inline constexpr duration refused_pause = std::chrono::seconds(30);  ///< after a final refusal of a member
inline constexpr duration bad_certificate_pause = std::chrono::minutes(10);
inline constexpr duration unhealthy_after = std::chrono::seconds(20);  ///< ocm: failureThreshold
inline constexpr duration report_pause = std::chrono::seconds(2);      ///< between two reports of the cluster
inline constexpr duration goodbye_pause = std::chrono::seconds(2);     ///< for the hub to take `leaving`
inline constexpr duration clock_notable = std::chrono::seconds(5);
inline constexpr duration clock_alarming = std::chrono::hours(1);

inline const address dialer{actor_kind::dialer, ""};
inline const address node{actor_kind::node, ""};
inline address work_address(const std::string& name) { return {actor_kind::work, name}; }

/// Says a thing about the link once, not at every attempt.
void tell(cluster_agent& self, note_level level, std::string text, outbox& out);
void to_hub(const cluster_agent& self, frame_to_hub frame, outbox& out);

// identity (agent_identity.cpp)
void load_identity(cluster_agent& self, const context& ctx, outbox& out);
bool has_identity(const context& ctx);
void save_identity(const cluster_agent& self, outbox& out);
void erase_identity(cluster_agent& self, outbox& out);
void make_identity(cluster_agent& self, const context& ctx, outbox& out);
bool expired(const cluster_agent& self, instant now);
/// A token that was not used for the certificate in use: somebody gave it to make things good.
bool has_fresh_token(const cluster_agent& self, const context& ctx);
/// The request that a certificate is to answer: of the first join, or of the next key.
const std::string& open_request(const cluster_agent& self);
/// Makes sure that there is one, durably.
void open_next_request(cluster_agent& self, const context& ctx, outbox& out);
void handle_certificate(cluster_agent& self, const join_certificate& m, const context& ctx, outbox& out);
void handle_renewal_refused(cluster_agent& self, const renewal_refused& m, const context& ctx, outbox& out);
/// Asks for the next certificate when it is time, goes over to joining when it is too late, and looks again later.
void look_at_certificate(cluster_agent& self, const context& ctx, outbox& out);

// link (agent_link.cpp)
void dial(cluster_agent& self, const context& ctx, outbox& out);
void redial_later(cluster_agent& self, const context& ctx, outbox& out);
void handle_welcome(cluster_agent& self, const welcome& m, const context& ctx, outbox& out);
void handle_refused(cluster_agent& self, const refused& m, const context& ctx, outbox& out);
void send_heartbeat(cluster_agent& self, const context& ctx, outbox& out);

// works and reports (agent_sync.cpp)
void load_works(cluster_agent& self, const context& ctx);
void request_sync(cluster_agent& self, outbox& out);
void handle_desired(cluster_agent& self, const work_desired& m, outbox& out);
void handle_unknown(cluster_agent& self, const work_unknown& m, outbox& out);
void handle_sync_done(cluster_agent& self, outbox& out);
/// Sends the state of the cluster if the hub does not have it, soon if one was sent just now.
void offer_cluster_report(cluster_agent& self, const context& ctx, outbox& out);
void look_at_health(cluster_agent& self, const context& ctx, outbox& out);

// leaving (agent_leaving.cpp)
void resume_leaving(cluster_agent& self, const context& ctx, outbox& out);
void say_goodbye(cluster_agent& self, const welcome& m, const context& ctx, outbox& out);
/// The hub cannot be told, or has been.
void settle_hub(cluster_agent& self, bool told, const std::string& why, outbox& out);
void on_work_gone(cluster_agent& self, const std::string& name, outbox& out);
void end_if_left(cluster_agent& self, outbox& out);
void on_leave_timer(cluster_agent& self, const std::string& name, outbox& out);

}  // namespace wh::agent_detail
