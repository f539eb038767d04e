#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/report/results.hpp"
#include "sim/scenario/scenario.hpp"

namespace wh {

/// One run of `wheelhouse-sim live`.
struct live_options {
  scenario plan;
  int clusters = 0;
  std::uint64_t seed = 0;
  std::string out_dir;      ///< results.json, report.html, hub.log; made if absent
  std::string kubeconfig;   ///< of a hub that runs already; empty: one is started
  std::string hub_program;  ///< empty: the one beside this program
  /// memory: the hub runs in this process; then kubeconfig, hub_program and hub_flags must be empty.
  sim_report::link_transport transport = sim_report::link_transport::tcp;
  std::vector<std::string> hub_flags;
  bool keep_data = false;                        ///< the hub's data folder stays, in out_dir
  unsigned threads = 1;                          ///< that run the spokes' actors
  duration patience = std::chrono::seconds(90);  ///< without any progress for so long, a phase is given up
};

/// How far a phase is; for a progress bar.
struct live_progress {
  std::string phase;
  std::size_t number = 0;  ///< of this phase, from 1
  std::size_t phases = 0;
  double done = 0;
  double wanted = 0;
  std::string unit;
  double seconds = 0;  ///< since the phase began
};

/// What a run tells while it goes on; on the run's thread.
struct live_listener {
  std::function<void(const std::string&)> say;  ///< a line
  std::function<void(const live_progress&)> progress;
  std::function<void(const sim_report::phase_result&)> phase_done;
};

/// Runs all phases, and removes what it does not leave on purpose. The results are written whether or not a phase failed;
/// run_results.problems and those of phases say what went wrong. Errors are of what prevents a run: a bad machine, a folder
/// that cannot be used, a hub that does not start. When `stop` was set the run ends soon with an error, and nothing of it is
/// left in out_dir.
result<sim_report::run_results> run_live(const live_options& options, const live_listener& listener,
                                         const std::atomic<bool>& stop);

/// The goals that the report judges by (docs/scale.md); those that a number of clusters makes sense of.
sim_report::goals scale_goals(int clusters);

}  // namespace wh
