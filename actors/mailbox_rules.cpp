#include "actors/mailbox_rules.hpp"

#include <algorithm>
#include <utility>

namespace wh {

namespace {

/// Parts that cannot run into each other: no name holds a zero byte.
template <class... Part>
std::string joined(const Part&... parts) {
  std::string out;
  ((out.append(parts).append(1, '\0')), ...);
  return out;
}

std::string subject(const object_changed& m) {
  return joined("object_changed", m.what.key.resource, m.what.key.ns, m.what.key.name);
}
/// A removal and what comes after it stay apart: the reader must see the end of the one life, and the body it ended with.
bool merged(object_changed& older, object_changed& newer) {
  if (!older.what.body || !newer.what.body) return false;
  auto previous = std::move(older.what.previous);
  const auto previous_rev = older.what.previous_rev;
  const bool in_memory = older.what.in_memory && newer.what.in_memory;
  older.what = std::move(newer.what);
  older.what.previous = std::move(previous);
  older.what.previous_rev = previous_rev;
  older.what.in_memory = in_memory;
  return true;
}

// One subject for both, so that neither is merged across the other: withdrawn and prescribed again is not withdrawn.
std::string subject(const prescribe&) { return joined("prescription"); }
std::string subject(const withdraw&) { return joined("prescription"); }
bool merged(prescribe& older, prescribe& newer) {
  if (older.desired.uid != newer.desired.uid) return false;
  const bool later = newer.history != older.history || newer.desired.gen >= older.desired.gen;
  if (later) older = std::move(newer);
  return true;
}
bool merged(withdraw& older, withdraw& newer) {
  if (older.uid != newer.uid) return false;
  // A request to leave counts as it was said last; a withdrawal by the hub takes nothing back.
  older.keep = newer.keep || (older.keep && !newer.at_once);
  older.at_once |= newer.at_once;
  return true;
}

std::string subject(const resend_report&) { return joined("resend_report"); }
bool merged(resend_report&, resend_report&) { return true; }

std::string subject(const cluster_unknown&) { return joined("cluster_unknown"); }
bool merged(cluster_unknown&, cluster_unknown&) { return true; }

std::string subject(const report_acked& m) { return joined("report_acked", m.uid); }
bool merged(report_acked& older, report_acked& newer) {
  older.seq = std::max(older.seq, newer.seq);
  return true;
}

std::string subject(const work_held& m) { return joined("work_held", m.held.name); }
bool merged(work_held& older, work_held& newer) {
  older = std::move(newer);
  return true;
}

std::string subject(const report_ready& m) { return joined("report_ready", m.report.name, m.report.uid); }
bool merged(report_ready& older, report_ready& newer) {
  if (newer.report.seq >= older.report.seq) older.report = std::move(newer.report);
  return true;
}

std::string subject(const finished_ready& m) { return joined("finished_ready", m.finished.name, m.finished.uid); }
bool merged(finished_ready&, finished_ready&) { return true; }

std::string subject(const drifted& m) {
  return joined("drifted", m.object.api_version, m.object.kind, m.object.ns, m.object.name);
}
bool merged(drifted& older, drifted& newer) {
  older.rev = std::max(older.rev, newer.rev);
  return true;
}

std::string subject(const cluster_facts&) { return joined("cluster_facts"); }
bool merged(cluster_facts& older, cluster_facts& newer) {
  older = std::move(newer);
  return true;
}

std::string subject(const namespaces_due&) { return joined("namespaces_due"); }
bool merged(namespaces_due& older, namespaces_due& newer) {
  older = std::move(newer);
  return true;
}

}  // namespace

std::optional<std::string> subject_of(const message& m) {
  return std::visit(
      []<class Message>(const Message& body) -> std::optional<std::string> {
        if constexpr (mailbox_table::rule(mailbox_table::type<Message>{}) == mailbox_rule::coalesced)
          return subject(body);
        else return std::nullopt;
      },
      m);
}

bool merge(message& older, message& newer) {
  if (older.index() != newer.index()) return false;
  return std::visit(
      [&]<class Message>(Message& body) {
        if constexpr (mailbox_table::rule(mailbox_table::type<Message>{}) == mailbox_rule::coalesced)
          return merged(body, std::get<Message>(newer));
        else return false;
      },
      older);
}

}  // namespace wh
