#include "tests/sim/process_fixture.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "nodes/common/files.hpp"
#include "sim/process/proc_text.hpp"

namespace wh::testing {

scratch_folder::scratch_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wh-process-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()));
  path = pattern;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

hub_process_options options_in(const scratch_folder& folder) {
  return {.program = WH_PROGRAM_DIR "/wheelhouse-hub", .data_dir = folder.path + "/hub", .ready_timeout = patience};
}

void eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("not within the time limit");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

bool runs(pid_t pid) {
  const auto stat = read_kernel_file("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) return false;
  const auto bracket = stat->rfind(')');
  return bracket + 2 < stat->size() && (*stat)[bracket + 2] != 'Z';
}

}  // namespace wh::testing
