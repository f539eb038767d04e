// The namespaces that sets want on the managed cluster.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/namespace_list.hpp"
#include "actors/names.hpp"

namespace wh {
namespace {

/// A label's name has at most this many characters, and the spoke makes one of the hash.
constexpr std::size_t hub_hash_digits = 63;
/// Of what a spoke says went wrong, so much is shown.
constexpr std::size_t report_bytes_max = 1024;

const document* entries_of(const document& cluster) {
  const auto* list = find_path(cluster, {"status", "managedNamespaces"});
  return list && list->is_array() ? list : nullptr;
}

const document* entry_of(const document& cluster, const managed_namespace& n) {
  if (const auto* list = entries_of(cluster))
    for (const auto& entry : *list)
      if (string_at(entry, {"name"}) == n.name && string_at(entry, {"clusterSet"}) == n.cluster_set) return &entry;
  return nullptr;
}

/// Cut at a character's border.
std::string prefix_of(const std::string& problem) {
  std::size_t end = std::min(problem.size(), report_bytes_max);
  while (end < problem.size() && end > 0 && (static_cast<unsigned char>(problem[end]) & 0xc0) == 0x80) --end;
  return problem.substr(0, end);
}

condition condition_of(const std::string& problem) {
  if (problem.empty())
    return {.type = names::namespace_available,
            .status = "True",
            .reason = "NamespaceApplied",
            .message = "Namespace successfully applied and managed"};
  return {.type = names::namespace_available,
          .status = "False",
          .reason = "NamespaceApplyFailed",
          .message = "Failed to apply namespace: " + prefix_of(problem)};
}

}  // namespace

std::vector<managed_namespace> managed_namespaces_of(const document& cluster) {
  std::vector<managed_namespace> out;
  if (const auto* list = entries_of(cluster))
    for (const auto& entry : *list)
      out.push_back({std::string(string_at(entry, {"clusterSet"})), std::string(string_at(entry, {"name"}))});
  return out;
}

void set_managed_namespaces(document& cluster, const std::vector<managed_namespace>& wanted) {
  if (managed_namespaces_of(cluster) == wanted) return;
  if (wanted.empty()) {
    cluster["status"].erase("managedNamespaces");
    return;
  }
  document list = document::array();
  for (const auto& n : wanted) {
    const auto* had = entry_of(cluster, n);
    list.push_back(had ? *had : document{{"clusterSet", n.cluster_set}, {"name", n.name}});
  }
  cluster["status"]["managedNamespaces"] = std::move(list);
}

void report_namespaces(document& cluster, const std::map<std::string, std::string>& reports, instant now) {
  if (reports.empty() || !entries_of(cluster)) return;
  for (auto& entry : cluster["status"]["managedNamespaces"])
    if (const auto it = reports.find(std::string(string_at(entry, {"name"}))); it != reports.end())
      set_condition(entry["conditions"], condition_of(it->second), now);
}

namespace cluster_detail {

void send_namespaces(const managed_cluster& self, const context& ctx, outbox& out) {
  if (!pushes(self) || self.peer->level < 1) return;
  managed_namespaces frame;
  // The authority's certificate is the one thing of a hub that outlives its addresses and is in every backup.
  frame.hub_hash = ctx.crypto.sha256_hex(ctx.crypto.ca_pem()).substr(0, hub_hash_digits);
  for (const auto& n : self.namespaces) {
    auto& sets = frame.namespaces[n.name];
    sets += (sets.empty() ? "" : ",") + n.cluster_set;
  }
  tell_spoke(self, std::move(frame), out);
}

}  // namespace cluster_detail

using namespace cluster_detail;

void on(managed_cluster& self, const namespaces_due& m, const context& ctx, outbox& out) {
  if (!self.exists || self.namespaces == m.namespaces) return;
  const bool changed =
      change_cluster(self, ctx, out, [&](document& cluster) { set_managed_namespaces(cluster, m.namespaces); });
  if (changed) send_namespaces(self, ctx, out);
}

}  // namespace wh
