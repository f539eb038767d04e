// Whether some rules grant everything that others grant: what escalation checks ask.
#include <algorithm>
#include <map>

#include "apiserver/access/policy_rule.hpp"
#include "apiserver/status.hpp"

namespace wh {

namespace {

constexpr std::size_t permissions_max = 200000;

using strings = std::vector<std::string>;

bool contains(const strings& list, std::string_view v) { return std::find(list.begin(), list.end(), v) != list.end(); }

bool all_in(const strings& owned, const strings& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& v) { return contains(owned, v); });
}

bool covers_resources(const strings& owned, const strings& wanted) {
  if (contains(owned, "*")) return true;
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& v) {
    if (contains(owned, v)) return true;
    auto slash = v.find('/');
    return slash != std::string::npos && contains(owned, "*" + v.substr(slash));
  });
}

bool covers_urls(const strings& owned, const strings& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& v) {
    return std::any_of(owned.begin(), owned.end(), [&](const std::string& u) {
      return u == v || u == "*" || (u.ends_with('*') && v.starts_with(u.substr(0, u.size() - 1)));
    });
  });
}

bool covers(const policy_rule& owned, const policy_rule& wanted) {
  if (!contains(owned.verbs, "*") && !all_in(owned.verbs, wanted.verbs)) return false;
  if (!contains(owned.groups, "*") && !all_in(owned.groups, wanted.groups)) return false;
  if (!covers_resources(owned.resources, wanted.resources) || !covers_urls(owned.urls, wanted.urls)) return false;
  if (owned.names.empty()) return true;
  return !wanted.names.empty() && all_in(owned.names, wanted.names);
}

bool any_covers(const std::vector<policy_rule>& owned, const policy_rule& wanted) {
  return std::any_of(owned.begin(), owned.end(), [&](const auto& o) { return covers(o, wanted); });
}

/// Calls `f` with every single permission of a rule.
template <class F>
void each_permission(const policy_rule& rule, F&& f) {
  for (const auto& group : rule.groups)
    for (const auto& resource : rule.resources)
      for (const auto& verb : rule.verbs) {
        if (rule.names.empty()) f(policy_rule{{verb}, {group}, {resource}, {}, {}});
        for (const auto& name : rule.names) f(policy_rule{{verb}, {group}, {resource}, {name}, {}});
      }
  for (const auto& url : rule.urls)
    for (const auto& verb : rule.verbs) f(policy_rule{{verb}, {}, {}, {}, {url}});
}

std::size_t permissions_in(const policy_rule& rule) {
  double n = static_cast<double>(rule.groups.size()) * static_cast<double>(rule.resources.size()) *
                 static_cast<double>(std::max<std::size_t>(rule.names.size(), 1)) +
             static_cast<double>(rule.urls.size());
  n *= static_cast<double>(rule.verbs.size());
  return n > 1e9 ? std::size_t{1000000000} : static_cast<std::size_t>(n);
}

bool is_simple(const policy_rule& r) {
  return r.groups.size() == 1 && r.resources.size() == 1 && r.names.size() <= 1 && r.urls.empty();
}

}  // namespace

result<std::vector<policy_rule>> missing_permissions(const std::vector<policy_rule>& owned,
                                                     const std::vector<policy_rule>& wanted) {
  std::vector<policy_rule> missing;
  std::size_t left = permissions_max;
  for (const auto& rule : wanted) {
    if (any_covers(owned, rule)) continue;
    const auto n = permissions_in(rule);
    if (n > left) return fail(errc::too_large, "the rules combine to more permissions than can be checked");
    left -= n;
    each_permission(rule, [&](policy_rule one) {
      if (!any_covers(owned, one)) missing.push_back(std::move(one));
    });
  }
  return missing;
}

std::vector<policy_rule> compacted(const std::vector<policy_rule>& rules) {
  std::vector<policy_rule> out;
  std::map<std::vector<std::string>, std::size_t> known;  // of group, resource and name: where its rule is
  for (const auto& r : rules) {
    if (!is_simple(r)) {
      out.push_back(r);
      continue;
    }
    std::vector<std::string> about = {r.groups[0], r.resources[0]};
    about.insert(about.end(), r.names.begin(), r.names.end());
    auto [at, fresh] = known.try_emplace(std::move(about), out.size());
    if (fresh) out.push_back(r);
    else out[at->second].verbs.insert(out[at->second].verbs.end(), r.verbs.begin(), r.verbs.end());
  }
  return out;
}

std::string quoted_list(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const auto& v : list) out += (out.size() == 1 ? "" : " ") + go_quote(v);
  return out + "]";
}

std::string compact_text(const policy_rule& r) {
  std::string out;
  auto part = [&](const char* name, const strings& list) {
    if (!list.empty()) out += (out.empty() ? "" : ", ") + (name + quoted_list(list));
  };
  part("APIGroups:", r.groups);
  part("Resources:", r.resources);
  part("NonResourceURLs:", r.urls);
  part("ResourceNames:", r.names);
  part("Verbs:", r.verbs);
  return "{" + out + "}";
}

}  // namespace wh
