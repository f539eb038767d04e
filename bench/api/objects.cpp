#include <fmt/format.h>

#include "bench/api/parts.hpp"

namespace wh::bench {
namespace {

constexpr std::size_t creators = 32;

/// What a cluster that has joined reports, by size and shape.
std::string cluster_status(std::uint64_t n) {
  const std::string condition =
      R"({{"type":"{}","status":"True","reason":"{}","message":"{}","lastTransitionTime":"2026-01-02T03:04:05Z"}})";
  std::string out = R"({"status":{"conditions":[)";
  out += fmt::format(fmt::runtime(condition), "ManagedClusterJoined", "ManagedClusterJoined", "Managed cluster joined");
  out += ',' + fmt::format(fmt::runtime(condition), "ManagedClusterConditionAvailable", "ManagedClusterAvailable",
                           "Managed cluster is available");
  out += R"(],"version":{"kubernetes":"v1.30.4"},"capacity":{"cpu":"96","memory":"384Gi","pods":"1100"},)";
  out += R"("allocatable":{"cpu":"90","memory":"370Gi","pods":"1100"},"clusterClaims":[)";
  out += fmt::format(R"({{"name":"id.k8s.io","value":"{}"}},)", cluster_name(n));
  return out + R"({"name":"platform.open-cluster-management.io","value":"AWS"},{"name":"region","value":"eu-1"}]}})";
}

}  // namespace

std::string cluster_name(std::uint64_t n) { return fmt::format("bench-{:05}", n); }

std::string cluster_body(std::uint64_t n) {
  return fmt::format(
      R"({{"apiVersion":"cluster.open-cluster-management.io/v1","kind":"ManagedCluster","metadata":{{"name":"{}",)"
      R"("labels":{{"cloud":"Amazon","env":"{}","region":"eu-{}","vendor":"OpenShift","tier":"{}"}}}},)"
      R"("spec":{{"hubAcceptsClient":false,"leaseDurationSeconds":60}}}})",
      cluster_name(n), n % 3 == 0 ? "prod" : "dev", n % 8, n % 4);
}

std::string config_body(const std::string& name, std::uint64_t data_bytes, std::uint64_t version) {
  auto data = fmt::format("{:020}", version);
  data.resize(std::max<std::size_t>(data.size(), data_bytes), 'x');
  return fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}},"data":{{"value":"{}"}}}})",
                     name, data);
}

result<load_result> run_sound_load(client_loop& loop, const endpoint& to, const load_plan& plan) {
  auto ran = run_load(loop, to, plan);
  if (!ran) return ran;
  if (ran->failures > 0)
    return fail(errc::unavailable, fmt::format("{} of {} requests failed, the first with {}", ran->failures,
                                               ran->failures + ran->ms.size(), ran->first_failure));
  return ran;
}

result<void> create_clusters(client_loop& loop, const endpoint& hub, std::uint64_t count) {
  load_plan create{.connections = creators, .requests = count, .next = [](std::size_t, std::uint64_t n) {
                     return request{"POST", clusters_path, cluster_body(n)};
                   }};
  if (auto made = run_sound_load(loop, hub, create); !made) return made.err();
  load_plan report{.connections = creators, .requests = count, .next = [](std::size_t, std::uint64_t n) {
                     return request{"PATCH", std::string(clusters_path) + "/" + cluster_name(n) + "/status",
                                    cluster_status(n), merge_patch_type};
                   }};
  if (auto told = run_sound_load(loop, hub, report); !told) return told.err();
  return {};
}

}  // namespace wh::bench
