#include "apiserver/access/role_shape.hpp"

#include <fmt/format.h>

#include "apiserver/access/policy_rule.hpp"

namespace wh {

namespace {

constexpr const char* rbac_group = "rbac.authorization.k8s.io";

void check_rule(const policy_rule& rule, const std::string& at, bool namespaced, std::vector<field_error>& errors) {
  if (!rule.urls.empty()) {
    const auto refuse = [&](const char* why) {
      errors.push_back({field_error_type::invalid, at + ".nonResourceURLs", document(rule.urls).dump(), why});
    };
    if (namespaced) refuse("namespaced rules cannot apply to non-resource URLs");
    if (!rule.groups.empty() || !rule.resources.empty() || !rule.names.empty())
      refuse("rules cannot apply to both regular resources and non-resource URLs");
    return;
  }
  if (rule.groups.empty())
    errors.push_back(
        {field_error_type::required, at + ".apiGroups", "", "resource rules must supply at least one api group"});
  if (rule.resources.empty())
    errors.push_back(
        {field_error_type::required, at + ".resources", "", "resource rules must supply at least one resource"});
}

void check_subject(const document& subject, const std::string& at, std::vector<field_error>& errors) {
  const auto kind = string_at(subject, {"kind"}), group = string_at(subject, {"apiGroup"});
  const bool account = kind == "ServiceAccount";
  if (account && string_at(subject, {"namespace"}).empty())
    errors.push_back({field_error_type::required, at + ".namespace", "", ""});
  if (group != (account ? "" : rbac_group))
    errors.push_back({field_error_type::not_supported, at + ".apiGroup", go_quote(group),
                      "supported values: " + go_quote(account ? "" : rbac_group)});
}

}  // namespace

void check_role_shape(admission& a) {
  const auto rules = rules_of(a.object);
  for (std::size_t i = 0; i < rules.size(); ++i)
    check_rule(rules[i], fmt::format("rules[{}]", i), !a.call.path.ns.empty(), a.errors);
}

void check_binding_shape(admission& a) {
  // A ClusterRoleBinding is in no namespace, so there is no Role that it could mean.
  if (a.call.path.ns.empty() && string_at(a.object, {"roleRef", "kind"}) != "ClusterRole")
    a.errors.push_back({field_error_type::not_supported, "roleRef.kind",
                        go_quote(string_at(a.object, {"roleRef", "kind"})), "supported values: \"ClusterRole\""});
  if (string_at(a.object, {"roleRef", "apiGroup"}) != rbac_group)
    a.errors.push_back({field_error_type::not_supported, "roleRef.apiGroup",
                        go_quote(string_at(a.object, {"roleRef", "apiGroup"})),
                        "supported values: " + go_quote(rbac_group)});
  if (const auto* list = find_path(a.object, {"subjects"}); list && list->is_array())
    for (std::size_t i = 0; i < list->size(); ++i) check_subject((*list)[i], fmt::format("subjects[{}]", i), a.errors);
}

}  // namespace wh
