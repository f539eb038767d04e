#pragma once
#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "base/random.hpp"
#include "nodes/parts/openssl_crypto.hpp"
#include "sim/live/journal.hpp"
#include "sim/live/live_run.hpp"
#include "sim/live/sampler.hpp"
#include "sim/live/work_board.hpp"
#include "sim/process/approver.hpp"
#include "transport/memory_network.hpp"

/// What the phases of a live run act on, and how they wait. For this folder alone.
namespace wh {

/// Of all clusters, as the hub shows them. Any thread.
class cluster_roll {
 public:
  void saw(const cluster_sight& sight);
  bool deleted(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string> deleted_;
};

struct stage {
  using clock = std::chrono::steady_clock;
  stage(const live_options& o, const live_listener& l, const std::atomic<bool>& s);
  ~stage();
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Hub, administrator and fleet, everything but the spokes' start.
  result<void> open();
  std::size_t size() const { return static_cast<std::size_t>(options.clusters); }
  double seconds() const { return std::chrono::duration<double>(clock::now() - start).count(); }

  /// What a phase waits for.
  struct awaited {
    double wanted = 0;
    std::function<double()> done;
  };
  /// False: given up after options.patience without progress, with a problem in `phase`; or stopped.
  bool wait(sim_report::phase_result& phase, const awaited& what);
  /// Lets time pass; false when the run ends meanwhile.
  bool sleep(sim_report::phase_result& phase, duration d, const std::string& unit = "s");
  /// Whether the run may go on; says in `phase` why not.
  bool fit(sim_report::phase_result& phase);
  void show(const sim_report::phase_result& phase, double done, double wanted);

  const live_options& options;
  const live_listener& tell;
  const std::atomic<bool>& stop;
  const clock::time_point start = clock::now();
  std::size_t phase_number = 0;
  bool hub_expected = true;  ///< false while the run itself has taken it down
  bool fatal = false;
  rng random;
  sim_report::run_results results;
  std::set<std::size_t> evicted;
  std::set<std::size_t> probed;  ///< clusters that have the probe's work
  int fan_outs = 0;              ///< works that fan-outs have made for each cluster
  std::uint64_t editions = 1;    ///< of works' contents so far; a work is created with the first
  std::vector<work_board::key> last_fan_out;
  double rss_empty = 0;  ///< of the hub's process before the first cluster
  std::string data_dir;
  std::string token_id;  ///< by which the fleet joins

  // Destroyed bottom up: who uses something stands below it.
  memory_network net;  ///< unused over TCP
  std::unique_ptr<hub_process> hub;
  std::unique_ptr<admin_client> admin;
  journal spokes;
  work_board works;
  cluster_roll roll;
  openssl_crypto crypto;
  kind_registry kinds;
  std::unique_ptr<store> data;
  std::unique_ptr<event_loop> loop;
  std::unique_ptr<fake_fleet> fleet;
  std::unique_ptr<fleet_watch> watch_clusters;
  std::unique_ptr<work_watch> watch_works;
  std::unique_ptr<approver> yes;
  std::unique_ptr<sampler> samples;
  std::jthread interrupter;  ///< ends all waiting for the hub when `stop` is set

 private:
  result<std::unique_ptr<hub_process>> make_hub();
  result<void> open_watches();
  /// Clusters of another run would be taken for ours.
  result<void> check_prefix_is_free();
  /// As long as half a minute or options.patience, or until `stop`.
  result<void> await(const std::function<result<void>(duration)>& ready) const;
  void open_fleet(const std::string& token);
};

/// One phase, done and measured.
sim_report::phase_result run_phase(stage& s, const phase_spec& what);

sim_report::phase_result run(stage& s, const join_phase& p);
sim_report::phase_result run(stage& s, const steady_phase& p);
sim_report::phase_result run(stage& s, const fan_out_phase& p);
sim_report::phase_result run(stage& s, const update_phase& p);
sim_report::phase_result run(stage& s, const burst_phase& p);
sim_report::phase_result run(stage& s, const churn_phase& p);
sim_report::phase_result run(stage& s, const storm_phase& p);
sim_report::phase_result run(stage& s, const restart_phase& p);
sim_report::phase_result run(stage& s, const pause_phase& p);
sim_report::phase_result run(stage& s, const evict_phase& p);

/// What was acknowledged and is not there.
struct loss_count {
  static constexpr std::uint64_t named_max = 10;
  std::uint64_t lost = 0;
  std::vector<std::string> problems;  ///< the first of them by name, and what else is wrong
  void add(std::string what);
};
/// What the hub itself says in the end, against what it acknowledged: works and clusters that are missing or behind.
result<loss_count> count_lost(stage& s);

}  // namespace wh
