#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apiserver/admission.hpp"

namespace wh {

namespace {

/// A dot joins namespace and name of a policy into the name of its copies, which goes into labels: 63 characters.
constexpr std::size_t policy_names_max = 62;
constexpr const char* root_policy_label = "policy.open-cluster-management.io/root-policy";

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

void check_policy_name(admission& a) {
  if (!label_of(a.object, root_policy_label).empty()) return;  // a copy
  const auto name = name_of(a.object);
  const auto both = characters_of(name) + characters_of(a.call.path.ns);
  if (both > policy_names_max)
    a.errors.push_back({field_error_type::invalid, "metadata.name", go_quote(name),
                        fmt::format("namespace and name of a policy may have {} characters together, these have {}",
                                    policy_names_max, both)});
}

/// Whether anything is to be enforced must be said: for the whole policy, or in each ConfigurationPolicy.
void check_remediation(admission& a) {
  if (!string_at(a.object, {"spec", "remediationAction"}).empty()) return;
  const auto* templates = find_path(a.object, {"spec", "policy-templates"});
  if (!templates || !templates->is_array()) return;
  for (std::size_t i = 0; i < templates->size(); ++i) {
    const auto* definition = find_path((*templates)[i], {"objectDefinition"});
    if (!definition || kind_of(*definition) != "ConfigurationPolicy") continue;
    const auto* action = find_path(*definition, {"spec", "remediationAction"});
    if (action && action->is_string()) continue;
    a.errors.push_back(
        {field_error_type::required, "spec.remediationAction", "",
         fmt::format("must be set unless every ConfigurationPolicy says it; spec.policy-templates[{}] does not", i)});
    return;
  }
}

std::set<std::string_view> texts_of(const document* list) {
  std::set<std::string_view> out;
  if (!list || !list->is_array()) return out;
  for (const auto& entry : *list)
    if (entry.is_string()) out.insert(entry.get_ref<const std::string&>());
  return out;
}

/// What was accepted under other rules can still be labelled and let go.
bool keeps_spec(const admission& a) {
  return a.old && a.old->value("spec", document()) == a.object.value("spec", document());
}

}  // namespace

answer<void> check_policy(admission& a) {
  if (!a.subresource.empty()) return {};
  if (a.creates()) check_policy_name(a);
  if (!keeps_spec(a)) check_remediation(a);
  return {};
}

answer<void> check_policy_set(admission& a) {
  const auto* exclusions = find_path(a.object, {"spec", "exclusions"});
  if (!a.subresource.empty() || keeps_spec(a) || !exclusions || !exclusions->is_array()) return {};
  const auto policies = texts_of(find_path(a.object, {"spec", "policies"}));
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < exclusions->size(); ++i) {
    const auto policy = string_at((*exclusions)[i], {"policyName"});
    const auto path = fmt::format("spec.exclusions[{}].policyName", i);
    if (policy.empty()) continue;  // the schema complains
    if (!seen.insert(policy).second) a.errors.push_back({field_error_type::duplicate, path, go_quote(policy), ""});
    else if (!policies.contains(policy))
      a.errors.push_back({field_error_type::invalid, path, go_quote(policy), "must be one of spec.policies"});
  }
  return {};
}

}  // namespace wh
