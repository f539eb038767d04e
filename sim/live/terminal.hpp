#pragma once
#include <chrono>
#include <string>

#include "sim/live/live_run.hpp"

namespace wh {

/// What a run shows its user: a bar that moves where stderr is a terminal, a line every few seconds where it is not, and in
/// the end the figures on stdout. One thread.
class terminal {
 public:
  explicit terminal(bool quiet);
  live_listener listener();
  /// Ends the line that the bar stands on.
  void finish();
  void conclude(const sim_report::run_results& r, const std::string& folder);

 private:
  using clock = std::chrono::steady_clock;
  void show(const live_progress& p);
  void show_phase(const sim_report::phase_result& p);
  void line(const std::string& text);

  const bool quiet_;
  const bool live_;    ///< stderr is a terminal
  const bool colour_;  ///< stdout is one
  bool bar_ = false;
  clock::time_point shown_{};
};

}  // namespace wh
