#pragma once
#include "apiserver/fair_server.hpp"
#include "nodes/common/options.hpp"

namespace wh {

/// Flags for how many requests the API takes at a time, in the units of the command line.
struct front_settings {
  std::uint64_t threads = 2;
  std::uint64_t running = 512;
  std::uint64_t user_running = 256;
  std::uint64_t user_waiting = 1024;
  std::uint64_t waiting_mib = 128;
  std::uint64_t user_unread_mib = 128;
  duration wait = std::chrono::seconds(15);
};

void add_front_options(command& program, front_settings& s);
result<void> validate(const front_settings& s);
/// Of valid settings.
fair_limits limits_of(const front_settings& s);

}  // namespace wh
