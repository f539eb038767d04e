#include "apiserver/access/policy_rule.hpp"

#include <algorithm>

#include "apiserver/api.hpp"

namespace wh {

namespace {

std::vector<std::string> strings_at(const document& doc, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = find_path(doc, {key}); list && list->is_array())
    for (const auto& v : *list)
      if (v.is_string()) out.push_back(v.get<std::string>());
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view wanted) {
  return std::any_of(list.begin(), list.end(), [&](const auto& v) { return v == "*" || v == wanted; });
}

/// `resource/sub` without building it: this runs for every rule of every question.
bool names_subresource(std::string_view v, const access_question& q) {
  return v.size() == q.resource.size() + 1 + q.subresource.size() && v.starts_with(q.resource) &&
         v[q.resource.size()] == '/' && v.ends_with(q.subresource);
}

bool matches_resource(const policy_rule& r, const access_question& q) {
  return std::any_of(r.resources.begin(), r.resources.end(), [&](std::string_view v) {
    if (v == "*") return true;
    if (q.subresource.empty()) return v == q.resource;
    return names_subresource(v, q) || (v.starts_with("*/") && v.substr(2) == q.subresource);
  });
}

bool url_covers(std::string_view pattern, std::string_view path) {
  if (pattern == "*" || pattern == path) return true;
  return pattern.ends_with('*') && path.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

std::vector<policy_rule> rules_of(const document& role) {
  std::vector<policy_rule> out;
  if (const auto* list = find_path(role, {"rules"}); list && list->is_array())
    for (const auto& r : *list)
      out.push_back({strings_at(r, "verbs"), strings_at(r, "apiGroups"), strings_at(r, "resources"),
                     strings_at(r, "resourceNames"), strings_at(r, "nonResourceURLs")});
  return out;
}

document to_document(const policy_rule& rule) {
  document out = {{"verbs", rule.verbs}};
  if (!rule.groups.empty()) out["apiGroups"] = rule.groups;
  if (!rule.resources.empty()) out["resources"] = rule.resources;
  if (!rule.names.empty()) out["resourceNames"] = rule.names;
  if (!rule.urls.empty()) out["nonResourceURLs"] = rule.urls;
  return out;
}

bool rule_allows(const policy_rule& r, const access_question& q) {
  if (!has(r.verbs, q.verb)) return false;
  if (!q.non_resource_path.empty())
    return std::any_of(r.urls.begin(), r.urls.end(), [&](const auto& u) { return url_covers(u, q.non_resource_path); });
  if (!has(r.groups, q.group) || !matches_resource(r, q)) return false;
  return r.names.empty() || std::find(r.names.begin(), r.names.end(), q.name) != r.names.end();
}

}  // namespace wh
