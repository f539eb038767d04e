#include "actors/spoke/cluster_agent.hpp"

#include "actors/names.hpp"
#include "actors/spoke/agent_detail.hpp"

namespace wh {

using namespace agent_detail;

namespace {

void handle(cluster_agent& self, const welcome& m, const context& ctx, outbox& out) {
  handle_welcome(self, m, ctx, out);
}

void handle(cluster_agent& self, const refused& m, const context& ctx, outbox& out) {
  handle_refused(self, m, ctx, out);
}

void handle(cluster_agent& self, const join_pending& m, const context&, outbox& out) {
  tell(self, note_level::info, m.message, out);
  reset(self.backoff);
}

void handle(cluster_agent& self, const join_certificate& m, const context& ctx, outbox& out) {
  handle_certificate(self, m, ctx, out);
}

void handle(cluster_agent& self, const renewal_refused& m, const context& ctx, outbox& out) {
  handle_renewal_refused(self, m, ctx, out);
}

void handle(cluster_agent& self, const work_desired& m, const context&, outbox& out) { handle_desired(self, m, out); }

void handle(cluster_agent& self, const work_unknown& m, const context&, outbox& out) { handle_unknown(self, m, out); }

void handle(cluster_agent& self, const sync_done&, const context&, outbox& out) { handle_sync_done(self, out); }

void handle(cluster_agent&, const report_ack& m, const context&, outbox& out) {
  if (!m.work.empty()) out.send(work_address(m.work), report_acked{m.uid, m.seq});
}

void handle(cluster_agent& self, const managed_namespaces& m, const context&, outbox& out) {
  if (self.link->accepted) want(self.namespaces, m, out);
}

template <class Other>
void handle(cluster_agent&, const Other&, const context&, outbox&) {}  // the session's own frames never get here

/// A cluster that leaves listens for one thing only: whether it can say so.
bool passes(const cluster_agent& self, const frame_to_spoke& frame) {
  return !self.leaving || std::holds_alternative<welcome>(frame) || std::holds_alternative<refused>(frame);
}

}  // namespace

namespace agent_detail {

void tell(cluster_agent& self, note_level level, std::string text, outbox& out) {
  constexpr std::size_t told_max = 16;
  if (self.told.size() >= told_max) self.told.clear();
  const bool again = !self.told.insert(text).second;
  out.log(again ? note_level::debug : level, std::move(text));
}

void to_hub(const cluster_agent& self, frame_to_hub frame, outbox& out) {
  out.send(session_address(self.link->session), send_to_hub{std::move(frame)});
}

}  // namespace agent_detail

cluster_agent make_cluster_agent(agent_options options) {
  cluster_agent self;
  self.options = std::move(options);
  return self;
}

void restore(cluster_agent& self, const context& ctx, outbox& out) {
  const bool known = has_identity(ctx);
  if (known) load_identity(self, ctx, out);
  load_works(self, ctx);
  restore(self.namespaces, ctx, out);
  if (self.options.leave) return on(self, *self.options.leave, ctx, out);
  if (self.leaving) return resume_leaving(self, ctx, out);
  if (!known) make_identity(self, ctx, out);
  look_at_certificate(self, ctx, out);
  dial(self, ctx, out);
}

void on(cluster_agent& self, const hub_frame& m, const context& ctx, outbox& out) {
  if (!self.link || self.link->session != m.session || !passes(self, m.frame)) return;
  std::visit([&](const auto& frame) { handle(self, frame, ctx, out); }, m.frame);
}

void on(cluster_agent& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (on_reply(self.namespaces, m, out)) offer_cluster_report(self, ctx, out);
  if (self.leaving) end_if_left(self, out);
}

void on(cluster_agent& self, const drifted& m, const context&, outbox& out) { on_drift(self.namespaces, m, out); }

void on(cluster_agent& self, const timer_fired& m, const context& ctx, outbox& out) {
  if (m.name == "dial" && !self.link && !self.hub_settled) dial(self, ctx, out);
  if (m.name == "heartbeat" && self.link && self.link->accepted) send_heartbeat(self, ctx, out);
  if (m.name == "certificate" && !self.leaving) look_at_certificate(self, ctx, out);
  if (m.name == "report") offer_cluster_report(self, ctx, out);
  if (m.name == "health") look_at_health(self, ctx, out);
  if (m.name == namespaces_timer) retry(self.namespaces, out);
  if (self.leaving) on_leave_timer(self, m.name, out);
}

}  // namespace wh
