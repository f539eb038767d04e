#include "resources/internal/computed_columns.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace wh::internal {
namespace {

constexpr std::size_t listed_max = 3;  // kubectl shows three of a long list and says how many follow

document none() { return "<none>"; }

std::string text_of(const document& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

document text_or_none(std::string text) { return text.empty() ? none() : document(std::move(text)); }

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

std::string shortened(std::vector<std::string> parts) {
  if (parts.size() <= listed_max) return joined(parts);
  const auto more = parts.size() - listed_max;
  parts.resize(listed_max);
  return joined(parts) + " + " + std::to_string(more) + " more...";
}

/// The entries of a list, or nothing.
const document& list_at(const document& object, std::initializer_list<std::string_view> path) {
  static const document empty = document::array();
  const auto* list = find_path(object, path);
  return list && list->is_array() ? *list : empty;
}

std::size_t size_at(const document& object, const char* field) {
  const auto* value = find_path(object, {field});
  return value && value->is_structured() ? value->size() : 0;
}

std::string pairs(const document* map) {
  std::vector<std::string> out;
  if (map && map->is_object()) {
    for (const auto& [key, value] : map->items()) out.push_back(key + "=" + text_of(value));
  }
  return joined(out);
}

std::string age(const document& object, std::initializer_list<std::string_view> path, instant now) {
  const auto t = parse_rfc3339(string_at(object, path));
  return t ? human_duration(now - *t) : std::string();
}

// --- core ------------------------------------------------------------------------------------------------------------

document data_count(const document& o, instant) { return size_at(o, "data") + size_at(o, "binaryData"); }
document secrets_count(const document& o, instant) { return size_at(o, "secrets"); }

document event_last_seen(const document& o, instant now) {
  // The legacy fields win: reporters of series keep them current too.
  for (auto seen :
       {age(o, {"series", "lastObservedTime"}, now), age(o, {"lastTimestamp"}, now),
        age(o, {"deprecatedLastTimestamp"}, now), age(o, {"eventTime"}, now), age(o, {"firstTimestamp"}, now)}) {
    if (!seen.empty()) return seen;
  }
  return "<unknown>";
}

document event_object(const document& o, instant) {
  const char* field = o.contains("involvedObject") ? "involvedObject" : "regarding";
  std::string kind(string_at(o, {field, "kind"}));
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return kind + "/" + std::string(string_at(o, {field, "name"}));
}

document node_status(const document& o, instant) {
  const auto ready = condition_status(o, "Ready");
  std::string out = ready == "True" ? "Ready" : ready.empty() ? "Unknown" : "NotReady";
  if (bool_at(o, {"spec", "unschedulable"}, false)) out += ",SchedulingDisabled";
  return out;
}

document node_roles(const document& o, instant) {
  constexpr std::string_view prefix = "node-role.kubernetes.io/";
  std::vector<std::string> roles;
  if (const auto* labels = find_path(o, {"metadata", "labels"}); labels && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) {
      if (key.starts_with(prefix) && key.size() > prefix.size()) roles.push_back(key.substr(prefix.size()));
    }
  }
  return text_or_none(joined(roles));
}

document pod_ready(const document& o, instant) {
  const auto& statuses = list_at(o, {"status", "containerStatuses"});
  const auto ready =
      std::count_if(statuses.begin(), statuses.end(), [](const auto& s) { return bool_at(s, {"ready"}, false); });
  return std::to_string(ready) + "/" + std::to_string(list_at(o, {"spec", "containers"}).size());
}

/// The most telling of phase, reason and what the containers wait for or ended with.
document pod_status(const document& o, instant) {
  std::string out(string_at(o, {"status", "phase"}));
  if (const auto reason = string_at(o, {"status", "reason"}); !reason.empty()) out = reason;
  for (const auto& status : list_at(o, {"status", "containerStatuses"})) {
    const auto waiting = string_at(status, {"state", "waiting", "reason"});
    const auto ended = string_at(status, {"state", "terminated", "reason"});
    if (!waiting.empty()) out = waiting;
    if (waiting.empty() && !ended.empty()) out = ended;
  }
  if (is_deleting(o)) out = "Terminating";
  return out.empty() ? document("Unknown") : document(out);
}

document pod_restarts(const document& o, instant) {
  std::int64_t restarts = 0;
  for (const auto& status : list_at(o, {"status", "containerStatuses"}))
    restarts += int_at(status, {"restartCount"}, 0);
  return std::to_string(restarts);
}

document template_labels(const document& o, instant) {
  return text_or_none(pairs(find_path(o, {"template", "metadata", "labels"})));
}

document service_external_ip(const document& o, instant) {
  std::vector<std::string> out;
  const auto type = string_at(o, {"spec", "type"});
  if (type == "ExternalName") return text_or_none(std::string(string_at(o, {"spec", "externalName"})));
  for (const auto& entry : list_at(o, {"status", "loadBalancer", "ingress"})) {
    const auto ip = string_at(entry, {"ip"});
    out.emplace_back(ip.empty() ? string_at(entry, {"hostname"}) : ip);
  }
  for (const auto& ip : list_at(o, {"spec", "externalIPs"})) out.push_back(text_of(ip));
  if (out.empty() && type == "LoadBalancer") return "<pending>";
  return text_or_none(joined(out));
}

document service_ports(const document& o, instant) {
  std::vector<std::string> out;
  for (const auto& port : list_at(o, {"spec", "ports"})) {
    auto text = std::to_string(int_at(port, {"port"}, 0));
    if (const auto node = int_at(port, {"nodePort"}, 0); node > 0) text += ":" + std::to_string(node);
    out.push_back(text + "/" + std::string(string_at(port, {"protocol"})));
  }
  return text_or_none(joined(out));
}

document spec_selector(const document& o, instant) { return text_or_none(pairs(find_path(o, {"spec", "selector"}))); }

document endpoints(const document& o, instant) {
  std::vector<std::string> out;
  for (const auto& subset : list_at(o, {"subsets"})) {
    for (const auto& address : list_at(subset, {"addresses"})) {
      for (const auto& port : list_at(subset, {"ports"})) {
        out.push_back(std::string(string_at(address, {"ip"})) + ":" + std::to_string(int_at(port, {"port"}, 0)));
      }
    }
  }
  return text_or_none(shortened(std::move(out)));
}

document access_modes(const document& o, instant) {
  std::vector<std::string> out;
  for (const auto& mode : list_at(o, {"spec", "accessModes"})) {
    std::string initials;
    for (char c : text_of(mode)) {
      if (c >= 'A' && c <= 'Z') initials += c;
    }
    out.push_back(initials == "RWOP" ? "RWOP" : initials);
  }
  return joined(out);
}

document volume_claim(const document& o, instant) {
  const auto name = string_at(o, {"spec", "claimRef", "name"});
  if (name.empty()) return "";
  return std::string(string_at(o, {"spec", "claimRef", "namespace"})) + "/" + std::string(name);
}

document quota(const document& o, bool limits) {
  std::string out;
  const auto* hard = find_path(o, {"status", "hard"});
  if (!hard || !hard->is_object()) hard = find_path(o, {"spec", "hard"});
  if (!hard || !hard->is_object()) return "";
  for (const auto& [name, quantity] : hard->items()) {
    if (name.starts_with("limits.") != limits) continue;
    const auto* used = find_path(o, {"status", "used", name});
    out += (out.empty() ? "" : ", ") + name + ": " + (used ? text_of(*used) : "0") + "/" + text_of(quantity);
  }
  return out;
}
document quota_requests(const document& o, instant) { return quota(o, false); }
document quota_limits(const document& o, instant) { return quota(o, true); }

// --- workloads -------------------------------------------------------------------------------------------------------

document replicas_ready(const document& o, instant) {
  return std::to_string(int_at(o, {"status", "readyReplicas"}, 0)) + "/" +
         std::to_string(int_at(o, {"spec", "replicas"}, 1));
}

document selector_at(const document& o, std::initializer_list<std::string_view> path) {
  const auto* selector = find_path(o, path);
  if (!selector) return none();
  auto out = pairs(find_path(*selector, {"matchLabels"}));
  for (const auto& expression : list_at(*selector, {"matchExpressions"})) {
    std::vector<std::string> values;
    for (const auto& value : list_at(expression, {"values"})) values.push_back(text_of(value));
    auto how = text_of(expression.value("operator", document("")));
    std::transform(how.begin(), how.end(), how.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto key = std::string(string_at(expression, {"key"}));
    auto term = how == "exists"         ? key
                : how == "doesnotexist" ? "!" + key
                                        : key + " " + how + " (" + joined(values) + ")";
    out += (out.empty() ? "" : ",") + term;
  }
  return text_or_none(std::move(out));
}
document label_selector_cell(const document& o, instant) { return selector_at(o, {"spec", "selector"}); }
document pod_selector(const document& o, instant) { return selector_at(o, {"spec", "podSelector"}); }

document node_selector(const document& o, instant) {
  return text_or_none(pairs(find_path(o, {"spec", "template", "spec", "nodeSelector"})));
}

document controller(const document& o, instant) {
  for (const auto& owner : list_at(o, {"metadata", "ownerReferences"})) {
    if (!bool_at(owner, {"controller"}, false)) continue;
    auto kind = std::string(string_at(owner, {"kind"}));
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return kind + "/" + std::string(string_at(owner, {"name"}));
  }
  return none();
}

document job_status(const document& o, instant) {
  if (condition_status(o, "Complete") == "True") return "Complete";
  if (condition_status(o, "Failed") == "True") return "Failed";
  if (is_deleting(o)) return "Terminating";
  if (condition_status(o, "Suspended") == "True") return "Suspended";
  return "Running";
}

document job_completions(const document& o, instant) {
  const auto succeeded = std::to_string(int_at(o, {"status", "succeeded"}, 0));
  if (const auto wanted = int_at(o, {"spec", "completions"}, -1); wanted >= 0)
    return succeeded + "/" + std::to_string(wanted);
  const auto parallel = int_at(o, {"spec", "parallelism"}, 1);
  return parallel > 1 ? succeeded + "/1 of " + std::to_string(parallel) : succeeded + "/1";
}

document job_duration(const document& o, instant now) {
  const auto start = parse_rfc3339(string_at(o, {"status", "startTime"}));
  if (!start) return "";
  const auto end = parse_rfc3339(string_at(o, {"status", "completionTime"}));
  return human_duration((end ? *end : now) - *start);
}

document active_count(const document& o, instant) { return list_at(o, {"status", "active"}).size(); }

document scale_target(const document& o, instant) {
  return std::string(string_at(o, {"spec", "scaleTargetRef", "kind"})) + "/" +
         std::string(string_at(o, {"spec", "scaleTargetRef", "name"}));
}

document or_not_available(const document& o, const char* field) {
  const auto* value = find_path(o, {"spec", field});
  return value && !value->is_null() ? document(text_of(*value)) : document("N/A");
}
document min_available(const document& o, instant) { return or_not_available(o, "minAvailable"); }
document max_unavailable(const document& o, instant) { return or_not_available(o, "maxUnavailable"); }

// --- networking ------------------------------------------------------------------------------------------------------

document ingress_hosts(const document& o, instant) {
  std::vector<std::string> out;
  for (const auto& rule : list_at(o, {"spec", "rules"})) {
    if (const auto host = string_at(rule, {"host"}); !host.empty()) out.emplace_back(host);
  }
  return out.empty() ? document("*") : document(shortened(std::move(out)));
}

document ingress_address(const document& o, instant) {
  std::vector<std::string> out;
  for (const auto& entry : list_at(o, {"status", "loadBalancer", "ingress"})) {
    const auto ip = string_at(entry, {"ip"});
    out.emplace_back(ip.empty() ? string_at(entry, {"hostname"}) : ip);
  }
  return joined(out);
}

document ingress_ports(const document& o, instant) { return list_at(o, {"spec", "tls"}).empty() ? "80" : "80, 443"; }

// --- certificates and RBAC -------------------------------------------------------------------------------------------

document requested_duration(const document& o, instant) {
  const auto seconds = int_at(o, {"spec", "expirationSeconds"}, 0);
  return seconds > 0 ? document(human_duration(std::chrono::seconds(seconds))) : none();
}

/// Approved, Denied and Failed as far as they are True, then Issued once there is a certificate.
document csr_condition(const document& o, instant) {
  std::string out;
  for (const char* type : {"Approved", "Denied", "Failed"}) {
    const auto& conditions = list_at(o, {"status", "conditions"});
    // Conditions written without a status count as True, as they did in the API's first version.
    const auto* found = find_condition(conditions, type);
    if (found && string_at(*found, {"status"}) != "False") out += (out.empty() ? "" : ",") + std::string(type);
  }
  if (out.empty()) out = "Pending";
  if (!string_at(o, {"status", "certificate"}).empty()) out += ",Issued";
  return out;
}

document role_ref(const document& o, instant) {
  return std::string(string_at(o, {"roleRef", "kind"})) + "/" + std::string(string_at(o, {"roleRef", "name"}));
}

document subjects(const document& o, std::string_view kind) {
  std::vector<std::string> out;
  for (const auto& subject : list_at(o, {"subjects"})) {
    if (string_at(subject, {"kind"}) != kind) continue;
    const auto name = std::string(string_at(subject, {"name"}));
    out.push_back(kind == "ServiceAccount" ? std::string(string_at(subject, {"namespace"})) + "/" + name : name);
  }
  return joined(out);
}
document subject_users(const document& o, instant) { return subjects(o, "User"); }
document subject_groups(const document& o, instant) { return subjects(o, "Group"); }
document subject_accounts(const document& o, instant) { return subjects(o, "ServiceAccount"); }

struct named_column {
  std::string_view name;
  document (*cell)(const document&, instant);
};

constexpr named_column columns[] = {
    {"access-modes", access_modes},
    {"active-count", active_count},
    {"controller", controller},
    {"csr-condition", csr_condition},
    {"data-count", data_count},
    {"endpoints", endpoints},
    {"event-last-seen", event_last_seen},
    {"event-object", event_object},
    {"ingress-address", ingress_address},
    {"ingress-hosts", ingress_hosts},
    {"ingress-ports", ingress_ports},
    {"job-completions", job_completions},
    {"job-duration", job_duration},
    {"job-status", job_status},
    {"label-selector", label_selector_cell},
    {"max-unavailable", max_unavailable},
    {"min-available", min_available},
    {"node-roles", node_roles},
    {"node-selector", node_selector},
    {"node-status", node_status},
    {"pod-ready", pod_ready},
    {"pod-restarts", pod_restarts},
    {"pod-selector", pod_selector},
    {"pod-status", pod_status},
    {"quota-limits", quota_limits},
    {"quota-requests", quota_requests},
    {"replicas-ready", replicas_ready},
    {"requested-duration", requested_duration},
    {"role-ref", role_ref},
    {"scale-target", scale_target},
    {"secrets-count", secrets_count},
    {"service-external-ip", service_external_ip},
    {"service-ports", service_ports},
    {"spec-selector", spec_selector},
    {"subject-accounts", subject_accounts},
    {"subject-groups", subject_groups},
    {"subject-users", subject_users},
    {"template-labels", template_labels},
    {"volume-claim", volume_claim},
};

const named_column* find_column(std::string_view name) {
  const auto* it = std::lower_bound(std::begin(columns), std::end(columns), name,
                                    [](const named_column& c, std::string_view key) { return c.name < key; });
  return it == std::end(columns) || it->name != name ? nullptr : it;
}

}  // namespace

bool is_computed_column(std::string_view name) { return find_column(name) != nullptr; }

document computed_cell(std::string_view name, const document& object, instant now) {
  const auto* column = find_column(name);
  return column ? column->cell(object, now) : document();
}

}  // namespace wh::internal
