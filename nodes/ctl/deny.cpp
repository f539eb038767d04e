#include "nodes/ctl/deny.hpp"

#include <algorithm>

#include "nodes/ctl/cluster_requests.hpp"

namespace wh::ctl {
namespace {

constexpr std::size_t names_shown = 5;

/// `a, b and 3 more`
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_shown); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > names_shown) text += " and " + std::to_string(names.size() - names_shown) + " more";
  return text;
}

std::string what_follows(const std::string& cluster, const std::vector<std::string>& works) {
  if (works.empty())
    return "it holds no works; its certificate is not renewed. whctl accept " + cluster + " lets it in again";
  const bool one = works.size() == 1;
  return std::string(one ? "1 work is" : std::to_string(works.size()) + " works are") + " left (" + some_of(works) +
         "): the cluster keeps what " + (one ? "it" : "they") +
         " put there, and may do nothing but remove it. Clean up with: whctl delete work NAME --clusters " + cluster +
         " (or kubectl delete manifestworks --all -n " + cluster + ")";
}

/// Requests of a cluster that still wait: refusing the cluster does not decide them.
std::string waiting_requests(console& c, const std::string& cluster) {
  const auto csrs =
      c.hub.list(csr_path(), "labelSelector=" + percent_encode("open-cluster-management.io/cluster-name=" + cluster));
  std::vector<std::string> waiting;
  if (csrs)
    for (const auto& request : review_requests(*csrs, cluster).pending) waiting.push_back(request.name);
  return waiting.empty()
             ? ""
             : "; it still asks for a certificate, which this refuses: kubectl certificate deny " + waiting.front();
}

outcome deny_one(console& c, const std::string& name) {
  const auto failed = [&](const std::string& why) {
    return outcome{.text = name + ": " + why, .fields = {{"name", name}, {"error", why}}, .ok = false};
  };
  const auto cluster = c.hub.find(clusters_path(name));
  if (!cluster) return failed(cluster.err().message);
  if (!*cluster) return failed("there is no such cluster; whctl get clusters lists them");
  const bool was_accepted = bool_at(**cluster, {"spec", "hubAcceptsClient"}, false);
  if (was_accepted)
    if (auto done = c.hub.merge_patch(clusters_path(name), {{"spec", {{"hubAcceptsClient", false}}}}); !done)
      return failed(done.err().message);
  const auto works = c.hub.list(works_path(name));
  if (!works) return failed("refused, but its works cannot be listed: " + works.err().message);
  std::vector<std::string> left;
  for (const auto& work : *works) left.emplace_back(name_of(work));
  return {.text = name + ": " + (was_accepted ? "refused" : "was not accepted") + "; " + what_follows(name, left) +
                  waiting_requests(c, name),
          .fields = {{"name", name}, {"accepted", false}, {"changed", was_accepted}, {"worksLeft", left}}};
}

}  // namespace

int deny_clusters(console& c, const std::vector<std::string>& names) {
  std::vector<outcome> outcomes;
  for (const auto& name : names) outcomes.push_back(deny_one(c, name));
  return report(c, outcomes);
}

}  // namespace wh::ctl
