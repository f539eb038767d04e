#pragma once
#include <string>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

struct backup_options {
  std::string file;
  bool force = false;                           ///< replace an existing file
  duration timeout = std::chrono::minutes(10);  ///< of silence: the hub copies its store before it sends
};

/// `whctl backup FILE`: fetches a backup of the running hub, checks it, and gives it its name only when it is whole.
int make_backup(console& c, const backup_options& options);

/// `[=====     ]  45.0 of 100.0 MiB  12.5 MiB/s  4s left`; without a total only what is known.
std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total, duration elapsed);

}  // namespace wh::ctl
