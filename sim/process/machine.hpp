#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "nodes/common/descriptors.hpp"
#include "transport/net.hpp"

namespace wh {

/// Where a run takes place: what a reader of its figures must know.
struct machine {
  std::string cpu_model = {};
  unsigned cores = 0;  ///< that this process may use
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_available_bytes = 0;  ///< without swapping; a container's limit counts
  std::string kernel = {};
  descriptor_limits descriptors = {};
  std::uint64_t ports = 0;  ///< for outgoing connections to one address
};
result<machine> read_machine();

// --- parsers of the kernel's files -----------------------------------------------------------------------------------
/// The first `model name` of /proc/cpuinfo; "unknown" where there is none, as on ARM.
std::string parse_cpu_model(std::string_view cpuinfo);
struct memory_sizes {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
};
result<memory_sizes> parse_meminfo(std::string_view text);
/// How many ports /proc/sys/net/ipv4/ip_local_port_range holds.
result<std::uint64_t> parse_port_range(std::string_view text);

// --- whether a run fits ----------------------------------------------------------------------------------------------
/// How simulated clusters reach the hub.
enum class cluster_transport {
  tcp,   ///< a connection for each: a descriptor here, one in the hub, and a port
  none,  ///< the harness carries the frames itself
};

/// What a run of so many clusters takes.
struct capacity_need {
  std::uint64_t clusters = 0;
  cluster_transport transport = cluster_transport::tcp;
  bool own_hub = true;                            ///< the hub runs here too
  std::uint64_t simulator_bytes_per_cluster = 0;  ///< estimates
  std::uint64_t hub_bytes_per_cluster = 0;
  std::uint64_t descriptors_reserve = 256;  ///< in each process: store, logs, administrators
  std::uint64_t memory_reserve_bytes = std::uint64_t{256} << 20;
  std::uint64_t connections_max = listen_limits{}.connections_max;  ///< that the hub accepts; its own limit
};

/// What stands in the way, all of it with numbers; nothing if it fits.
result<void> check_capacity(const capacity_need& need, const machine& here);

/// Raises our own soft descriptor limit to the hard one and then checks against the machine as it is.
result<void> check_capacity(const capacity_need& need);

}  // namespace wh
