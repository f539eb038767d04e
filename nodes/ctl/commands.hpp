#pragma once
#include <iosfwd>

#include "nodes/common/options.hpp"

namespace wh::ctl {

/// What whctl talks to besides the hub.
struct ctl_streams {
  std::istream* in = nullptr;
  bool colour = false;
  bool progress = false;
  bool interactive = false;  ///< `in` and err are a terminal: a person can be asked
  parse_surroundings around;
};

/// stdin, stdout, stderr and the environment; colour and progress only on terminals that want it (NO_COLOR, TERM=dumb).
ctl_streams process_streams();

/// whctl itself: parses, runs, returns the exit code (0 done, 1 failed, 2 wrong usage).
int run_whctl(int argc, const char* const* argv, const ctl_streams& streams);

}  // namespace wh::ctl
