#pragma once
#include <sys/types.h>

#include <functional>
#include <string>

#include "nodes/ctl/hub_client.hpp"
#include "sim/process/admin_client.hpp"
#include "sim/process/hub_process.hpp"

namespace wh::testing {

/// Long enough for a loaded machine with sanitizers; nothing waits so long unless it fails.
constexpr duration patience = std::chrono::minutes(1);

/// A folder that goes with the test.
struct scratch_folder {
  std::string path;
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
};

/// The real hub, its data in `hub/` of the folder.
hub_process_options options_in(const scratch_folder& folder);

/// Looks until it holds; fails the test if it does not in time.
void eventually(const std::function<bool()>& holds);

/// True while the process runs. One that nobody has asked for its exit code no longer does.
bool runs(pid_t pid);

}  // namespace wh::testing
