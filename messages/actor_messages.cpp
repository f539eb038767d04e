#include "messages/actor_messages.hpp"

#include <array>

namespace wh {

namespace {

std::string_view kind_name(actor_kind kind) {
  switch (kind) {
    case actor_kind::none: return "none";
    case actor_kind::managed_cluster: return "managed_cluster";
    case actor_kind::gatekeeper: return "gatekeeper";
    case actor_kind::certificate_authority: return "certificate_authority";
    case actor_kind::cluster_sets: return "cluster_sets";
    case actor_kind::namespace_lifecycle: return "namespace_lifecycle";
    case actor_kind::garbage_collector: return "garbage_collector";
    case actor_kind::event_reaper: return "event_reaper";
    case actor_kind::cluster_agent: return "cluster_agent";
    case actor_kind::work: return "work";
    case actor_kind::session: return "session";
    case actor_kind::dialer: return "dialer";
    case actor_kind::cluster: return "cluster";
    case actor_kind::api: return "api";
    case actor_kind::node: return "node";
  }
  return "unknown";
}

// One overload per alternative: a message added to the variant without a name does not compile.
constexpr std::string_view name(const timer_fired*) { return "timer_fired"; }
constexpr std::string_view name(const object_changed*) { return "object_changed"; }
constexpr std::string_view name(const admit_write*) { return "admit_write"; }
constexpr std::string_view name(const admit_reply*) { return "admit_reply"; }
constexpr std::string_view name(const spoke_connected*) { return "spoke_connected"; }
constexpr std::string_view name(const join_asked*) { return "join_asked"; }
constexpr std::string_view name(const spoke_frame*) { return "spoke_frame"; }
constexpr std::string_view name(const session_closed*) { return "session_closed"; }
constexpr std::string_view name(const send_to_spoke*) { return "send_to_spoke"; }
constexpr std::string_view name(const close_session*) { return "close_session"; }
constexpr std::string_view name(const dial_hub*) { return "dial_hub"; }
constexpr std::string_view name(const hub_connected*) { return "hub_connected"; }
constexpr std::string_view name(const dial_failed*) { return "dial_failed"; }
constexpr std::string_view name(const hub_frame*) { return "hub_frame"; }
constexpr std::string_view name(const send_to_hub*) { return "send_to_hub"; }
constexpr std::string_view name(const prescribe*) { return "prescribe"; }
constexpr std::string_view name(const withdraw*) { return "withdraw"; }
constexpr std::string_view name(const resend_report*) { return "resend_report"; }
constexpr std::string_view name(const cluster_unknown*) { return "cluster_unknown"; }
constexpr std::string_view name(const report_acked*) { return "report_acked"; }
constexpr std::string_view name(const work_held*) { return "work_held"; }
constexpr std::string_view name(const report_ready*) { return "report_ready"; }
constexpr std::string_view name(const finished_ready*) { return "finished_ready"; }
constexpr std::string_view name(const cluster_call*) { return "cluster_call"; }
constexpr std::string_view name(const cluster_reply*) { return "cluster_reply"; }
constexpr std::string_view name(const cluster_watch*) { return "cluster_watch"; }
constexpr std::string_view name(const drifted*) { return "drifted"; }
constexpr std::string_view name(const cluster_facts*) { return "cluster_facts"; }
constexpr std::string_view name(const give_up*) { return "give_up"; }
constexpr std::string_view name(const retire_me*) { return "retire_me"; }
constexpr std::string_view name(const probe_session*) { return "probe_session"; }
constexpr std::string_view name(const leave_due*) { return "leave_due"; }
constexpr std::string_view name(const left*) { return "left"; }
constexpr std::string_view name(const namespaces_due*) { return "namespaces_due"; }

template <class... Ts>
constexpr auto names_of(const std::variant<Ts...>*) {
  return std::array<std::string_view, sizeof...(Ts)>{name(static_cast<const Ts*>(nullptr))...};
}

}  // namespace

std::string to_string(const address& a) {
  std::string text{kind_name(a.kind)};
  if (!a.name.empty()) text.append("/").append(a.name);
  return text;
}

std::string_view name_of(const message& m) {
  static constexpr auto names = names_of(static_cast<const message*>(nullptr));
  return m.valueless_by_exception() ? std::string_view{"none"} : names[m.index()];
}

}  // namespace wh
