#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "sim/report/latency_histogram.hpp"

// What one run of the live scale harness found. The harness fills these structs in while it runs; results_file.hpp
// keeps them in a file, report_html.hpp shows them to people. docs/scale-results.md explains every field.
// Times called `_s` are seconds of the harness's monotonic clock since the run began.
namespace wh::sim_report {

enum class link_transport { tcp, memory };    ///< how spokes reach the hub: sockets, or within one process
enum class hub_origin { started, attached };  ///< the harness started the hub, or found one running

struct setting {
  std::string name = {};
  std::string value = {};
  friend bool operator==(const setting&, const setting&) = default;
};

struct machine_info {
  std::string cpu_model = {};
  std::uint64_t cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel = {};
  std::uint64_t fd_limit = 0;  ///< soft limit on open files of the harness
  friend bool operator==(const machine_info&, const machine_info&) = default;
};

struct run_info {
  instant started_at = {};
  double duration_s = 0;
  std::string scenario = {};
  std::uint64_t seed = 0;
  std::uint64_t clusters = 0;
  link_transport transport = link_transport::tcp;
  hub_origin hub = hub_origin::started;
  std::string software_version = {};
  std::string git_commit = {};
  std::string fsync_mode = {};
  std::vector<setting> configuration = {};  ///< in the order in which people should read it
  machine_info machine = {};
  friend bool operator==(const run_info&, const run_info&) = default;
};

/// A number that only this phase has.
struct figure {
  std::string name = {};
  std::optional<double> value = {};
  std::string unit = {};  ///< empty: a count
  friend bool operator==(const figure&, const figure&) = default;
};

struct phase_result {
  std::string name = {};   ///< join, steady, fan-out, ...
  std::string about = {};  ///< what was done, one sentence for people who have never seen the project
  std::string unit = {};   ///< what is counted: clusters, works, ...
  double begins_s = 0;
  double ends_s = 0;
  std::uint64_t wanted = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  /// How long a unit took. The two clocks are never mixed: `client` was measured in the harness, from the request to
  /// what it saw in the end; `hub` is the difference of two times that the hub wrote down itself.
  latency_histogram client = {};
  latency_histogram hub = {};
  std::vector<figure> figures = {};
  std::vector<std::string> problems = {};
  std::string skipped = {};  ///< why the phase was not done, where that is no fault; empty: it was
  friend bool operator==(const phase_result&, const phase_result&) = default;
};

/// One row a second. A value that could not be read (an attached hub on another machine has no /proc here) is nullopt.
/// A new column is a member here, a line in sample_columns() and a line in docs/scale-results.md.
struct sample {
  using value = std::optional<double>;  ///< doubles count exactly up to 2^53

  double at_s = 0;
  value hub_cpu_fraction = {};  ///< of one core, over the last second: 1.5 is one core and a half
  value sim_cpu_fraction = {};
  value hub_rss_anon_bytes = {};
  value hub_rss_file_bytes = {};
  value sim_rss_anon_bytes = {};
  value hub_disk_written_bytes = {};  ///< total
  value members_connected = {};
  value store_revision = {};
  value commits = {};   ///< total
  value commit_s = {};  ///< total seconds spent in commits
  value batches = {};   ///< total
  value mailbox_depth_max = {};
  value mailbox_depth_total = {};
  value frames_in = {};       ///< total
  value frames_out = {};      ///< total
  value works_reported = {};  ///< total
  friend bool operator==(const sample&, const sample&) = default;
};

struct sample_column {
  const char* name;  ///< as in the file
  sample::value sample::*member;
};
/// Every column but `at_s`, in the order of the file.
const std::vector<sample_column>& sample_columns();

/// The figures that runs are judged by; nullopt if the phase that gives one was not run.
struct headline {
  using value = std::optional<double>;
  value join_per_s = {};
  value fanout_p50_s = {};
  value fanout_p99_s = {};
  value fanout_all_s = {};
  value work_roundtrip_p99_ms = {};
  value restart_to_sync_s = {};
  value storm_to_sync_s = {};
  value hub_rss_anon_bytes_per_cluster = {};
  value idle_cpu_fraction = {};
  value idle_disk_writes = {};
  value lost = {};
  friend bool operator==(const headline&, const headline&) = default;
};

enum class direction { at_least, at_most };
enum class quantity { count, per_second, bytes, bytes_per_second, cores, seconds };

struct headline_field {
  const char* name;   ///< as in the file
  const char* title;  ///< for people
  const char* about;  ///< what exactly was measured
  headline::value headline::*member;
  quantity shown_as;
  double scale;      ///< value times scale is in the unit of `shown_as`
  direction better;  ///< at_least: more is better
};
const std::vector<headline_field>& headline_fields();

struct goal {
  double limit = 0;
  direction wanted = direction::at_most;
  friend bool operator==(const goal&, const goal&) = default;
};
using goals = std::map<std::string, goal>;  ///< by headline name

enum class verdict { not_run, no_goal, met, missed };

struct run_results {
  run_info info = {};
  headline head = {};
  sim_report::goals goals = {};
  std::vector<phase_result> phases = {};
  std::vector<sample> samples = {};
  std::vector<std::string> problems = {};  ///< of no phase in particular
  friend bool operator==(const run_results&, const run_results&) = default;
};

/// Whether a headline keeps its goal. A goal whose phase was not run is neither met nor missed.
verdict judge(const run_results& run, const headline_field& field);

/// Units done in a second of a phase; nullopt for a phase without duration or without units.
std::optional<double> rate_of(const phase_result& phase);

}  // namespace wh::sim_report
