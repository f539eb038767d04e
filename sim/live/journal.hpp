#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sim/live/fake_fleet.hpp"
#include "sim/report/latency_histogram.hpp"

namespace wh {

/// What the spokes have gone through, on their own clock: who is in sync, and how long that took since it was asked of
/// them. Any thread.
class journal final : public fleet_observer {
 public:
  using clock = std::chrono::steady_clock;
  explicit journal(std::size_t spokes) : spokes_(spokes) {}

  /// From now on the spoke is waited for.
  void expect(std::size_t spoke);
  /// All that are in sync, or were, and are not gone for good; returns how many.
  std::size_t expect_all();
  /// The spoke is not waited for any more, whatever comes.
  void dismiss(std::size_t spoke);

  struct standing {
    std::size_t expected = 0;  ///< waited for now
    std::size_t synced = 0;    ///< in sync, or were when they were last asked for
    std::size_t gave_up = 0;
    std::uint64_t disconnects = 0;
    std::uint64_t reports_acked = 0;
    std::string last_give_up;
  };
  standing now() const;
  bool synced(std::size_t spoke) const;
  /// Times from expect() to in sync since the last call.
  sim_report::latency_histogram take_times();
  /// Waits until something changes, at most `d`.
  void wait_change(duration d) const;

  void on_certificate(std::size_t) override {}
  void on_accepted(std::size_t) override {}
  void on_synced(std::size_t spoke) override;
  void on_disconnected(std::size_t spoke) override;
  void on_report_acked(std::size_t spoke, const std::string& work, std::uint64_t seq) override;
  void on_gave_up(std::size_t spoke, const std::string& why) override;

 private:
  struct spoke_state {
    clock::time_point asked;
    bool expected = false;
    bool synced = false;
    bool known = false;  ///< was in sync once
    bool dismissed = false;
  };

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<spoke_state> spokes_;
  standing standing_;
  sim_report::latency_histogram times_;
};

}  // namespace wh
