#pragma once
#include "nodes/common/logging.hpp"
#include "nodes/common/options.hpp"
#include "nodes/spoke/spoke.hpp"

namespace wh {

/// What `wheelhouse-spoke leave` is asked for.
struct leave_options {
  bool keep_workloads = false;
  duration timeout = std::chrono::seconds(30);
};

/// Adds the command. The targets must outlive the parsing.
void add_leave_command(command& program, spoke_options& spoke, leave_options& leave, log_options& log);

/// Takes a stopped spoke's cluster away from its hub. Prints what it does; 0: it has left. 1: it has not, and can be asked
/// again.
int run_leave(spoke_options spoke, const leave_options& leave, const log_options& log);

}  // namespace wh
