#pragma once
#include "sim/process/hub_process.hpp"
#include "transport/memory_network.hpp"

namespace wh {

struct memory_hub_options {
  std::string data_dir;
  std::string log_file;  ///< of this whole process from here on, because the hub writes to the process's log
};

/// A hub within this process whose links come from `net`, which must outlive it; its API is on a real port. It has no
/// pid and cannot be killed or paused; restart() stops it in good order and starts it anew.
result<std::unique_ptr<hub_process>> start_memory_hub(memory_hub_options options, memory_network& net);

}  // namespace wh
