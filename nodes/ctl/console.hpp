#pragma once
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "nodes/ctl/hub_client.hpp"
#include "nodes/ctl/output.hpp"

namespace wh::ctl {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;

/// What a command works with. Time is a port, so that tests need not wait.
struct console {
  hub_client& hub;
  std::ostream& out;  ///< results
  std::ostream& err;  ///< what went wrong, and progress
  output_format format = output_format::table;
  bool colour = false;
  bool progress = false;  ///< `err` is a terminal that can be drawn on
  std::function<instant()> now;
  std::function<void(duration)> sleep;
  std::function<std::string(const std::string& question)> ask = {};  ///< null: there is nobody to ask
};

/// What became of one item (a cluster, a work) of a command that handles several.
struct outcome {
  std::string text;  ///< a line for people
  document fields;   ///< the same for programs
  bool ok = true;
};

/// Prints outcomes as the format asks; failures go to `err`. exit_failure if any failed.
int report(const console& c, const std::vector<outcome>& outcomes);

/// Prints one error. Returns exit_failure.
int report(const console& c, const error& e);

}  // namespace wh::ctl
