#pragma once
#include "bench/api/load.hpp"
#include "bench/api/report.hpp"
#include "bench/api/servers.hpp"

namespace wh::bench {

/// What a run was asked for.
struct settings {
  std::string folder;        ///< on the disk to measure; hub and etcd work in folders below it
  std::string hub_program;   ///< empty: beside the benchmark's build
  std::string etcd_program;  ///< empty: left out
  std::vector<std::size_t> connections = {1, 16, 256};
  std::vector<std::string> operations = {"get", "put", "patch", "create", "etcd"};
  std::uint64_t rounds = 3;
  duration time = std::chrono::seconds(2);                 ///< of one rate in one round
  std::uint64_t body_bytes = 1024;                         ///< of an object's data, and of etcd's values
  std::vector<std::string> shapes = {"objects", "table"};  ///< of lists
  std::uint64_t clusters = 10000;
  std::uint64_t repeats = 5;  ///< of a list
  std::uint64_t watches = 5000;
  std::uint64_t changes = 20;
  std::uint64_t idle_watches = 1000;

  row as_json() const;
};

// --- the parts; each has a hub of its own -----------------------------------------------------------------------------
/// Reads and durable writes a second, and etcd's writes on the same disk, in turns.
result<void> measure_rates(const settings& s, report& out);
/// Lists of many ManagedClusters.
result<void> measure_lists(const settings& s, report& out);
/// Many watches on one resource: how late they hear of a change, and what each takes of the hub's memory.
result<void> measure_watches(const settings& s, report& out);
/// Reads while many watches are open and nothing changes.
result<void> measure_idle_watches(const settings& s, report& out);

// --- objects and paths ------------------------------------------------------------------------------------------------
inline constexpr const char* clusters_path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
inline constexpr const char* configs_path = "/api/v1/namespaces/default/configmaps";
inline constexpr const char* merge_patch_type = "application/merge-patch+json";

std::string cluster_name(std::uint64_t n);
std::string cluster_body(std::uint64_t n);
/// With so many bytes of data, which `version` changes.
std::string config_body(const std::string& name, std::uint64_t data_bytes, std::uint64_t version);

/// Creates ManagedClusters; fails when one cannot be.
result<void> create_clusters(client_loop& loop, const endpoint& hub, std::uint64_t count);
/// Runs a load in which no request may fail.
result<load_result> run_sound_load(client_loop& loop, const endpoint& to, const load_plan& plan);

}  // namespace wh::bench
