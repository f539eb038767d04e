#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wh {

// --- what the files of /proc/<pid> say; errors name the line that is missing or odd ----------------------------------
struct proc_status {
  std::uint64_t rss_anon_bytes = 0;  ///< heap and stacks
  std::uint64_t rss_file_bytes = 0;  ///< mapped files that are in memory: programs, and the store
  std::uint64_t threads = 0;
};
result<proc_status> parse_proc_status(std::string_view text);

struct proc_times {
  double user_s = 0;
  double system_s = 0;
};
/// /proc/<pid>/stat. The process's name, which stands in it in brackets, may hold anything.
result<proc_times> parse_proc_stat(std::string_view text, double ticks_per_second);

struct proc_io {
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;  ///< that went, or will go, to a disk
};
result<proc_io> parse_proc_io(std::string_view text);

/// Pss of /proc/<pid>/smaps_rollup: shared pages count in part.
result<std::uint64_t> parse_pss_bytes(std::string_view text);

// --- a process at one moment -----------------------------------------------------------------------------------------
struct process_sample {
  proc_status memory;
  proc_times cpu;               ///< since the process started
  std::optional<proc_io> disk;  ///< the kernel may keep it from us
  std::uint64_t open_descriptors = 0;
  std::optional<std::uint64_t> pss_bytes;

  double cpu_s() const { return cpu.user_s + cpu.system_s; }
};

struct sampling {
  bool pss = false;  ///< makes the kernel walk all pages: some 10 ms for each GB
};

/// Looks at a process; errc::not_found when there is none of this number.
result<process_sample> sample_process(pid_t pid, const sampling& what = {});
result<process_sample> sample_self(const sampling& what = {});

}  // namespace wh
