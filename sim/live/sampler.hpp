#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "sim/live/work_board.hpp"
#include "sim/process/admin_client.hpp"
#include "sim/process/hub_process.hpp"
#include "sim/process/process_sampler.hpp"
#include "sim/report/results.hpp"

namespace wh {

/// Looks at hub and simulator once a second, on a thread of its own. A hub that is away leaves its columns empty.
class sampler {
 public:
  using clock = std::chrono::steady_clock;
  sampler(hub_process& hub, admin_client& admin, const work_board& works, clock::time_point start);
  ~sampler();
  sampler(const sampler&) = delete;
  sampler& operator=(const sampler&) = delete;

  /// Without asking the hub for its metrics, which costs it something: while it is watched being idle.
  void spare_hub(bool spare) { sparing_ = spare; }
  std::vector<sim_report::sample> samples() const;

 private:
  void run();
  sim_report::sample look();
  void add_processes(sim_report::sample& s, double at);
  void add_metrics(sim_report::sample& s);

  hub_process& hub_;
  admin_client& admin_;
  const work_board& works_;
  const clock::time_point start_;
  std::atomic<bool> sparing_ = false;

  /// For rates: processor seconds seen last, and when.
  struct seen_cpu {
    double at = 0;
    double cpu_s = 0;
    pid_t pid = 0;
  };
  std::optional<double> rate(seen_cpu& before, double at, double cpu_s, pid_t pid) const;
  seen_cpu hub_cpu_;
  seen_cpu own_cpu_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<sim_report::sample> samples_;
  bool ending_ = false;
  std::thread thread_;  ///< last: it uses the rest
};

}  // namespace wh
