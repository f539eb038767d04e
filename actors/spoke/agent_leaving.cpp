// The cluster leaves the hub: its works go (or are let go), the hub is told if it can be reached, the identity is erased.
//
//   leave_due ──► (durable: leaving) ──┬──► every work: withdraw at once ──► work_held(gone), one by one ──┐
//                                      └──► dial ──► welcome ──► leaving ──► told, or patience ran out ────┴──► left
//
// Nothing of this waits for the hub's consent. A work that does not go ends the attempt, and another one goes on from there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actors/names.hpp"
#include "actors/spoke/agent_detail.hpp"

namespace wh {

using namespace agent_detail;

namespace agent_detail {
namespace {

constexpr const char* hub_timer = "leave-hub";          // the hub could not be reached
constexpr const char* works_timer = "leave-works";      // no work has gone for a while
constexpr const char* goodbye_timer = "leave-goodbye";  // the hub has had time to read it

std::string count_of(std::size_t works) { return works == 1 ? "1 work" : fmt::format("{} works", works); }

void withdraw_works(const cluster_agent& self, outbox& out) {
  for (const auto& [name, work] : self.held)
    out.send(work_address(name), withdraw{.uid = work.uid, .keep = self.leaving->keep_workloads, .at_once = true});
  out.log(note_level::info, fmt::format("{} {}", self.leaving->keep_workloads ? "letting go of" : "removing",
                                        count_of(self.held.size())));
}

void seek_hub(cluster_agent& self, const context& ctx, outbox& out) {
  if (self.leaving->hub_told) return settle_hub(self, true, "", out);
  if (self.cert_pem.empty()) return settle_hub(self, false, "this cluster has not joined it yet", out);
  if (expired(self, ctx.now)) return settle_hub(self, false, "the certificate has expired", out);
  out.wake(hub_timer, self.options.leave_patience);
  if (self.link) {
    out.send(session_address(self.link->session), close_session{"the cluster leaves"});
    self.link.reset();
  }
  dial(self, ctx, out);
}

void give_up_on_works(const cluster_agent& self, outbox& out) {
  std::vector<std::string> names;
  for (const auto& [name, work] : self.held) names.push_back(name);
  out.send(node,
           give_up{fmt::format("objects of {} could not be removed: {}. What is in their way stands above; nothing "
                               "else is lost, and leaving again goes on from here",
                               count_of(names.size()), fmt::join(names, ", "))});
}

}  // namespace

void resume_leaving(cluster_agent& self, const context& ctx, outbox& out) {
  out.log(note_level::warning, "leaving the hub was begun and not ended: going on");
  on(self, leave_due{self.leaving->keep_workloads}, ctx, out);
}

void say_goodbye(cluster_agent& self, const welcome& m, const context&, outbox& out) {
  if (self.link->goodbye || self.hub_settled) return;
  if (m.level < 1) return settle_hub(self, false, "it is too old to be told", out);
  self.link->goodbye = true;
  to_hub(self, leaving{.keep_workloads = self.leaving->keep_workloads}, out);
  out.wake(goodbye_timer, goodbye_pause);
}

void settle_hub(cluster_agent& self, bool told, const std::string& why, outbox& out) {
  if (self.hub_settled) return;
  self.hub_settled = true;
  self.leaving->hub_told = told;
  out.cancel(hub_timer);
  out.cancel(goodbye_timer);
  out.cancel("dial");
  if (told) out.log(note_level::info, "the hub is told");
  else out.log(note_level::warning, "the hub is not told: " + why);
  save_identity(self, out);
  end_if_left(self, out);
}

void on_work_gone(cluster_agent& self, const std::string& name, outbox& out) {
  out.log(note_level::info, fmt::format("work {} {}; {} left", name,
                                        self.leaving->keep_workloads ? "is let go of, its objects stay" : "is removed",
                                        self.held.size()));
  out.wake(works_timer, self.options.leave_patience);
  end_if_left(self, out);
}

void end_if_left(cluster_agent& self, outbox& out) {
  if (!self.leaving || !self.hub_settled || !self.held.empty() || !is_settled(self.namespaces)) return;
  const bool told = self.leaving->hub_told;
  self.leaving.reset();
  out.cancel(works_timer);
  forget(self.namespaces, out);
  erase_identity(self, out);
  out.send(node, left{told});
}

void on_leave_timer(cluster_agent& self, const std::string& name, outbox& out) {
  if (name == goodbye_timer) settle_hub(self, true, "", out);
  else if (name == hub_timer)
    settle_hub(self, false, fmt::format("no answer within {}", human_duration(self.options.leave_patience)), out);
  else if (name == works_timer && !self.held.empty()) give_up_on_works(self, out);
}

}  // namespace agent_detail

void on(cluster_agent& self, const leave_due& m, const context& ctx, outbox& out) {
  if (self.agent.empty() && self.held.empty()) return out.send(node, left{false});
  const bool told = self.leaving && self.leaving->hub_told;
  self.leaving = cluster_agent::departure{.keep_workloads = m.keep_workloads, .hub_told = told};
  self.hub_settled = false;
  out.cancel("heartbeat");
  out.cancel("certificate");
  save_identity(self, out);
  withdraw_works(self, out);
  want(self.namespaces, {}, out);
  out.wake(works_timer, self.options.leave_patience);
  seek_hub(self, ctx, out);
}

}  // namespace wh
