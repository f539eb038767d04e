#pragma once
#include <sys/types.h>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "nodes/ctl/hub_client.hpp"
#include "sim/process/admin_client.hpp"
#include "sim/process/hub_process.hpp"
#include "sim/process/resource_watch.hpp"

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

/// Notes what a watch tells, as `+name@version`, `~name@version` and `-name`.
struct notebook {
  std::mutex mutex;
  std::vector<std::string> notes;

  void note(watch_change change, const document& object) {
    const std::lock_guard lock(mutex);
    const std::string name(name_of(object));
    const std::string version(string_at(object, {"metadata", "resourceVersion"}));
    if (change == watch_change::deleted) notes.push_back("-" + name);
    else notes.push_back((change == watch_change::added ? "+" : "~") + name + "@" + version);
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex);
    return notes;
  }
  watch_options options(const std::string& path) {
    return {.path = path, .on_event = [this](auto change, const auto& object) { note(change, object); }};
  }
};

/// Looks until it holds; fails the test if it does not in time.
void eventually(const std::function<bool()>& holds);

/// True while the process runs. One that nobody has asked for its exit code no longer does.
bool runs(pid_t pid);

}  // namespace wh::testing
