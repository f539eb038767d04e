#include <algorithm>

#include "apiserver/access/default_roles.hpp"
#include "apiserver/access/policy_rule.hpp"

namespace wh {

namespace {

constexpr const char* autoupdate = "rbac.authorization.kubernetes.io/autoupdate";

/// Adds what is missing to labels or annotations; the user's values win.
void add_missing(document& existing, const document& wanted, const char* field) {
  const auto* from = find_path(wanted, {"metadata", field});
  if (!from) return;
  auto& to = existing["metadata"][field];
  if (!to.is_object()) to = document::object();
  for (const auto& [key, value] : from->items())
    if (!to.contains(key)) to[key] = value;
}

void add_missing_items(document& existing, const document& wanted) {
  if (!existing.is_array()) existing = document::array();
  for (const auto& item : wanted)
    if (std::find(existing.begin(), existing.end(), item) == existing.end()) existing.push_back(item);
}

void add_missing_rules(document& existing, const document& wanted) {
  auto held = rules_of(existing);
  if (!existing["rules"].is_array()) existing["rules"] = document::array();
  for (const auto& rule : rules_of(wanted)) {
    auto missing = missing_permissions(held, {rule});
    if (missing && !missing->empty()) existing["rules"].push_back(to_document(rule));
  }
}

}  // namespace

std::optional<document> reconciled_access(const document& existing, const document& wanted) {
  if (annotation_of(existing, autoupdate) == "false") return std::nullopt;
  document next = existing;
  next["metadata"].erase("resourceVersion");
  const document before = next;
  if (const auto* ref = find_path(wanted, {"roleRef"})) {
    if (const auto* had = find_path(existing, {"roleRef"}); !had || *had != *ref) return wanted;
    add_missing_items(next["subjects"], wanted["subjects"]);
  } else if (const auto* selectors = find_path(wanted, {"aggregationRule", "clusterRoleSelectors"})) {
    add_missing_items(next["aggregationRule"]["clusterRoleSelectors"], *selectors);
  } else {
    add_missing_rules(next, wanted);
  }
  add_missing(next, wanted, "labels");
  add_missing(next, wanted, "annotations");
  if (next == before) return std::nullopt;
  return next;
}

}  // namespace wh
