#include "apiserver/access/escalation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apiserver/access/role_shape.hpp"

namespace wh {

namespace {

constexpr const char* rbac_group = "rbac.authorization.k8s.io";

bool is_master(const user_info& user) {
  return std::find(user.groups.begin(), user.groups.end(), "system:masters") != user.groups.end();
}

bool same_at(const document& a, const document& b, std::string_view field) {
  const auto* was = find_path(a, {field});
  const auto* is = find_path(b, {field});
  if (!was || !is) return (!was || was->empty()) && (!is || is->empty());
  return *was == *is;
}

bool aggregates(const document& role) {
  const auto* rule = find_path(role, {"aggregationRule"});
  return rule && rule->is_object() && !rule->empty();
}

/// Who sets what a role gathers may gather anything.
std::vector<policy_rule> everything() { return {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}}; }

answer<void> confirm_held(const admission& a, const std::vector<policy_rule>& wanted) {
  const auto& user = a.user();
  auto missing = missing_permissions(a.call.core->options.access->rules_held(user, a.call.path.ns), wanted);
  if (!missing) return forbidden_error(a.call.resource(), name_of(a.object), missing.err().message);
  if (missing->empty()) return {};
  std::set<std::string> lines;
  for (const auto& rule : compacted(*missing)) lines.insert(compact_text(rule));
  auto text = fmt::format("user {} (groups={}) is attempting to grant RBAC permissions not currently held:",
                          go_quote(user.name), quoted_list(user.groups));
  for (const auto& line : lines) text += "\n" + line;
  return forbidden_error(a.call.resource(), name_of(a.object), text);
}

}  // namespace

answer<void> check_role(admission& a) {
  check_role_shape(a);
  if (!a.errors.empty()) return {};
  bool same = a.old && same_at(*a.old, a.object, "rules") && same_at(*a.old, a.object, "aggregationRule");
  if (same || is_master(a.user())) return {};
  if (a.allowed("escalate", rbac_group, a.call.path.resource, "", a.call.path.name, a.call.path.ns)) return {};
  if (auto ok = confirm_held(a, rules_of(a.object)); !ok) return ok;
  if (aggregates(a.object) || (a.old && aggregates(*a.old))) return confirm_held(a, everything());
  return {};
}

answer<void> check_binding(admission& a) {
  check_binding_shape(a);
  if (!a.errors.empty()) return {};
  bool same = a.old && same_at(*a.old, a.object, "subjects") && same_at(*a.old, a.object, "roleRef");
  if (same || is_master(a.user())) return {};
  bool cluster_role = string_at(a.object, {"roleRef", "kind"}) == "ClusterRole";
  std::string role(string_at(a.object, {"roleRef", "name"}));
  const auto& ns = a.call.path.ns;
  if (a.allowed("bind", rbac_group, cluster_role ? "clusterroles" : "roles", "", role, ns)) return {};
  auto rules = a.call.core->options.access->rules_of_role(cluster_role, ns, role);
  if (!rules) return object_not_found(std::string(cluster_role ? "clusterroles" : "roles") + "." + rbac_group, role);
  return confirm_held(a, *rules);
}

}  // namespace wh
