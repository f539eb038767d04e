#include "apiserver/access/impersonation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/access/denial.hpp"

namespace wh {

namespace {

constexpr const char* authentication_group = "authentication.k8s.io";
constexpr std::string_view account_prefix = "system:serviceaccount:";

/// `system:serviceaccount:ns:name` taken apart; false: no such name.
bool split_account(std::string_view user, std::string& ns, std::string& name) {
  if (!user.starts_with(account_prefix)) return false;
  user.remove_prefix(account_prefix.size());
  auto colon = user.find(':');
  if (colon == std::string_view::npos || user.find(':', colon + 1) != std::string_view::npos) return false;
  ns = user.substr(0, colon);
  name = user.substr(colon + 1);
  return !ns.empty() && !name.empty();
}

bool has(const std::vector<std::string>& list, std::string_view v) {
  return std::find(list.begin(), list.end(), v) != list.end();
}

std::vector<access_question> questions_of(const user_info& asker, const user_info& as) {
  std::vector<access_question> out;
  auto ask = [&](const char* group, std::string resource, std::string sub, std::string ns, std::string name) {
    out.push_back(
        {asker, "impersonate", group, std::move(resource), std::move(sub), std::move(ns), std::move(name), ""});
  };
  std::string ns, name;
  if (split_account(as.name, ns, name)) ask("", "serviceaccounts", "", ns, name);
  else ask("", "users", "", "", as.name);
  for (const auto& g : as.groups) ask("", "groups", "", "", g);
  for (const auto& [key, values] : as.extra)
    for (const auto& v : values) ask(authentication_group, "userextras", key, "", v);
  if (!as.uid.empty()) ask(authentication_group, "uids", "", "", as.uid);
  return out;
}

/// The groups that nobody has to name.
void complete_groups(user_info& user, bool named) {
  std::string ns, name;
  if (!named && split_account(user.name, ns, name))
    user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns};
  if (has(user.groups, "system:authenticated") || has(user.groups, "system:unauthenticated")) return;
  user.groups.push_back(user.name == "system:anonymous" ? "system:unauthenticated" : "system:authenticated");
}

}  // namespace

answer<void> impersonate(api_call& call) {
  auto as = std::move(*call.request.as);
  call.request.as.reset();
  if (as.name.empty())
    return api_error{
        500, "InternalError",
        fmt::format("Internal Server Error: {}: requested groups, uid or extra without impersonating a user",
                    go_quote(call.request.target)),
        nullptr};
  for (const auto& q : questions_of(call.request.user, as))
    if (!call.core->options.access->allows(q)) return denial(q);
  complete_groups(as, !as.groups.empty());
  call.impersonator = std::move(call.request.user);
  call.request.user = std::move(as);
  return {};
}

}  // namespace wh
