#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "messages/actor_messages.hpp"

/// What a mailbox does with each type of message when there are many; docs/mailboxes.md says why for each. A message type
/// without a rule, or a coalesced one without subject or merge, does not compile.
namespace wh {

enum class mailbox_rule : std::uint8_t {
  refused,  ///< somebody waits for an answer and can ask again: errc::busy when the mailbox is full
  pushes_back,  ///< a frame of the link: busy when the mailbox is full, and the link then holds it; credit bounds all of them
  coalesced,  ///< says "look again": a newer one replaces one that still waits, in its place; never refused
  kept,       ///< as many as what they answer or belong to; never refused
  to_port,    ///< goes to a port of the node, which has no mailbox; kept, should an actor get one
};

namespace mailbox_table {

template <class Message>
struct type {};

constexpr mailbox_rule rule(type<timer_fired>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<object_changed>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<admit_write>) { return mailbox_rule::refused; }
constexpr mailbox_rule rule(type<admit_reply>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<spoke_connected>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<join_asked>) { return mailbox_rule::pushes_back; }
constexpr mailbox_rule rule(type<spoke_frame>) { return mailbox_rule::pushes_back; }
constexpr mailbox_rule rule(type<session_closed>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<send_to_spoke>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<close_session>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<dial_hub>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<hub_connected>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<dial_failed>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<hub_frame>) { return mailbox_rule::pushes_back; }
constexpr mailbox_rule rule(type<send_to_hub>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<prescribe>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<withdraw>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<resend_report>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<report_acked>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<work_held>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<report_ready>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<finished_ready>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<cluster_call>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<cluster_reply>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<cluster_watch>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<drifted>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<cluster_facts>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<give_up>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<retire_me>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<cluster_unknown>) { return mailbox_rule::coalesced; }
constexpr mailbox_rule rule(type<probe_session>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<leave_due>) { return mailbox_rule::kept; }
constexpr mailbox_rule rule(type<left>) { return mailbox_rule::to_port; }
constexpr mailbox_rule rule(type<namespaces_due>) { return mailbox_rule::coalesced; }

template <class... Message>
constexpr std::array<mailbox_rule, sizeof...(Message)> all(const std::variant<Message...>*) {
  return {rule(type<Message>{})...};
}

}  // namespace mailbox_table

inline mailbox_rule rule_of(const message& m) {
  constexpr auto rules = mailbox_table::all(static_cast<const message*>(nullptr));
  return m.valueless_by_exception() ? mailbox_rule::kept : rules[m.index()];
}

/// What a coalesced message is about: of one sender's messages about one subject only the last that waits may be merged
/// with a newer one. Unique over all types; nullopt: the message is not coalesced.
std::optional<std::string> subject_of(const message& m);

/// Makes of two messages about one subject one that tells its reader all that it must know, in `older`. False: there is
/// none, both must be handled; neither is changed then.
bool merge(message& older, message& newer);

}  // namespace wh
