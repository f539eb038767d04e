#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"

namespace wh {

struct access_question;

/// One PolicyRule of a Role or ClusterRole. Empty lists are absent ones.
struct policy_rule {
  std::vector<std::string> verbs;
  std::vector<std::string> groups;     ///< apiGroups; "" is core
  std::vector<std::string> resources;  ///< pods, pods/log, */scale, *
  std::vector<std::string> names;      ///< resourceNames; empty: any name
  std::vector<std::string> urls;       ///< nonResourceURLs; a trailing * stands for the rest
  friend bool operator==(const policy_rule&, const policy_rule&) = default;
};

/// `rules` of a role. What is not of the right type is left out: schemas refuse it on its way in.
std::vector<policy_rule> rules_of(const document& role);
document to_document(const policy_rule& rule);

/// True if this rule alone grants what is asked.
bool rule_allows(const policy_rule& rule, const access_question& q);

/// What of `wanted` the owned rules do not grant, taken apart into single permissions; empty: all is covered.
/// errc::too_large: so many combinations that nobody means them (a check would take seconds).
result<std::vector<policy_rule>> missing_permissions(const std::vector<policy_rule>& owned,
                                                     const std::vector<policy_rule>& wanted);

/// Single permissions on the same thing as one rule with all their verbs.
std::vector<policy_rule> compacted(const std::vector<policy_rule>& rules);

/// `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as refusals print a rule.
std::string compact_text(const policy_rule& rule);

/// A list as Go's %q prints it: `["a" "b"]`.
std::string quoted_list(const std::vector<std::string>& list);

}  // namespace wh
