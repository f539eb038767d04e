#include "nodes/ctl/work.hpp"

#include <ostream>

namespace wh::ctl {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(200);

result<std::vector<std::string>> clusters_with(console& c, const std::string& name) {
  const auto works = c.hub.list(works_path({}));
  if (!works) return works.err();
  std::vector<std::string> clusters;
  for (const auto& work : *works)
    if (name_of(work) == name) clusters.emplace_back(namespace_of(work));
  if (clusters.empty()) return fail(errc::not_found, "no cluster has a work " + name);
  return clusters;
}

outcome describe(const std::string& cluster, const std::string& name, const std::string& what, bool ok) {
  return {.text = cluster + "/" + name + ": " + what,
          .fields = {{"cluster", cluster}, {"name", name}, {ok ? "result" : "error", what}},
          .ok = ok};
}

outcome wait_until_gone(console& c, const std::string& cluster, const std::string& name, instant deadline) {
  while (true) {
    const auto found = c.hub.find(works_path(cluster, name));
    if (!found) return describe(cluster, name, found.err().message, false);
    if (!*found) return describe(cluster, name, "deleted", true);
    if (c.now() >= deadline)
      return describe(cluster, name,
                      "deletion has begun, but the cluster has not finished it yet (is its spoke connected?)", false);
    c.sleep(poll_interval);
  }
}

}  // namespace

int delete_work(console& c, const delete_work_options& options) {
  auto clusters = options.clusters;
  if (options.all_clusters) {
    auto found = clusters_with(c, options.name);
    if (!found) return report(c, found.err());
    clusters = std::move(*found);
  }
  const auto deadline = c.now() + options.timeout;
  std::vector<outcome> outcomes;
  std::vector<std::string> begun;
  for (const auto& cluster : clusters) {
    const auto removed = c.hub.remove(works_path(cluster, options.name));
    if (!removed) outcomes.push_back(describe(cluster, options.name, removed.err().message, false));
    else if (options.wait) begun.push_back(cluster);
    else outcomes.push_back(describe(cluster, options.name, "deletion has begun", true));
  }
  for (const auto& cluster : begun) outcomes.push_back(wait_until_gone(c, cluster, options.name, deadline));
  return report(c, outcomes);
}

}  // namespace wh::ctl
