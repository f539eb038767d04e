#include "sim/process/machine.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <vector>

#include "sim/process/proc_text.hpp"

namespace wh {
namespace {

constexpr const char* port_range_file = "/proc/sys/net/ipv4/ip_local_port_range";

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 0;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

/// Page cache that the kernel takes back when somebody needs the memory.
std::uint64_t reclaimable(std::string_view memory_stat) {
  constexpr std::string_view name = "inactive_file ";
  while (const auto line = next_line(memory_stat))
    if (line->starts_with(name)) return whole_number(trimmed(line->substr(name.size()))).value_or(0);
  return 0;
}

/// A container's memory limit, less what is in use; all there is without one (the file then says `max`).
std::uint64_t container_memory_left() {
  const auto limit = read_kernel_file("/sys/fs/cgroup/memory.max");
  const auto used = read_kernel_file("/sys/fs/cgroup/memory.current");
  if (!limit || !used) return UINT64_MAX;
  const auto most = whole_number(trimmed(*limit));
  const auto now = whole_number(trimmed(*used));
  if (!most || !now) return UINT64_MAX;
  const auto stat = read_kernel_file("/sys/fs/cgroup/memory.stat");
  const auto held = *now - std::min(*now, stat ? reclaimable(*stat) : 0);
  return *most - std::min(*most, held);
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB"; }

void check_descriptors(const capacity_need& need, const machine& here, std::vector<std::string>& problems) {
  if (need.transport == cluster_transport::none) return;
  const auto wanted = need.clusters + need.descriptors_reserve;
  if (wanted <= here.descriptors.hard) return;
  problems.push_back("each process needs " + std::to_string(wanted) + " open files (one a cluster and " +
                     std::to_string(need.descriptors_reserve) + " more), and the hard limit is " +
                     std::to_string(here.descriptors.hard) + " (ulimit -Hn)");
}

void check_connections(const capacity_need& need, const machine& here, std::vector<std::string>& problems) {
  if (need.transport == cluster_transport::none) return;
  if (need.clusters > here.ports)
    problems.push_back("each cluster dials from a port of its own, and there are " + std::to_string(here.ports) + " (" +
                       port_range_file + ")");
  if (need.clusters > need.connections_max)
    problems.push_back("the hub accepts at most " + std::to_string(need.connections_max) + " links");
}

void check_memory(const capacity_need& need, const machine& here, std::vector<std::string>& problems) {
  const auto hub = need.own_hub ? need.hub_bytes_per_cluster : 0;
  const auto clusters = need.clusters * (need.simulator_bytes_per_cluster + hub);
  if (clusters + need.memory_reserve_bytes <= here.memory_available_bytes) return;
  problems.push_back("memory for about " + mebibytes(clusters + need.memory_reserve_bytes) + " is needed (" +
                     std::to_string(need.simulator_bytes_per_cluster / 1024) + " KiB a cluster here, " +
                     std::to_string(hub / 1024) + " KiB in the hub, " + mebibytes(need.memory_reserve_bytes) +
                     " more), and " + mebibytes(here.memory_available_bytes) + " are available");
}

}  // namespace

std::string parse_cpu_model(std::string_view cpuinfo) {
  const auto model = line_value(cpuinfo, "model name");
  return model && !model->empty() ? std::string(*model) : "unknown";
}

result<memory_sizes> parse_meminfo(std::string_view text) {
  const auto total = line_number(text, "MemTotal");
  if (!total) return total.err();
  const auto available = line_number(text, "MemAvailable");
  if (!available) return available.err();
  return memory_sizes{.total_bytes = *total, .available_bytes = *available};
}

result<std::uint64_t> parse_port_range(std::string_view text) {
  text = trimmed(text);
  const auto blank = std::min(text.find_first_of(" \t"), text.size());
  const auto low = whole_number(text.substr(0, blank));
  const auto high = whole_number(trimmed(text.substr(blank)));
  if (!low || !high || *low > *high || *high > 65535)
    return fail(errc::corrupt, "\"" + std::string(text) + "\" is no range of ports");
  return *high - *low + 1;
}

result<machine> read_machine() {
  machine m;
  if (const auto cpu = read_kernel_file("/proc/cpuinfo")) m.cpu_model = parse_cpu_model(*cpu);
  m.cores = usable_cores();
  const auto meminfo = read_kernel_file("/proc/meminfo");
  if (!meminfo) return meminfo.err();
  const auto sizes = parse_meminfo(*meminfo);
  if (!sizes) return fail(sizes.err().code, "/proc/meminfo: " + sizes.err().message);
  m.memory_bytes = sizes->total_bytes;
  m.memory_available_bytes = std::min(sizes->available_bytes, container_memory_left());
  if (utsname names{}; ::uname(&names) == 0) m.kernel = std::string(names.sysname) + " " + names.release;
  const auto limits = read_descriptor_limits();
  if (!limits) return limits.err();
  m.descriptors = *limits;
  const auto range = read_kernel_file(port_range_file);
  if (!range) return range.err();
  const auto ports = parse_port_range(*range);
  if (!ports) return fail(ports.err().code, std::string(port_range_file) + ": " + ports.err().message);
  m.ports = *ports;
  return m;
}

result<void> check_capacity(const capacity_need& need, const machine& here) {
  std::vector<std::string> problems;
  check_descriptors(need, here, problems);
  check_connections(need, here, problems);
  check_memory(need, here, problems);
  if (problems.empty()) return {};
  std::string text = std::to_string(need.clusters) + " clusters do not fit on this machine: ";
  for (std::size_t i = 0; i < problems.size(); ++i) text += (i > 0 ? "; " : "") + problems[i];
  return fail(errc::too_large, std::move(text));
}

result<void> check_capacity(const capacity_need& need) {
  if (auto raised = raise_descriptor_limit(); !raised) return raised.err();
  const auto here = read_machine();
  if (!here) return here.err();
  return check_capacity(need, *here);
}

}  // namespace wh
