#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "sim/process/admin_works.hpp"
#include "sim/report/latency_histogram.hpp"

namespace wh {

/// What the administrator has asked for and been promised, against what the hub shows: one entry for each work. A write
/// counts from the moment in which its request is sent until its newest generation is seen Applied and Available (or, when
/// it was deleted, until it is gone). Any thread.
class work_board {
 public:
  using clock = std::chrono::steady_clock;
  struct key {
    std::string cluster;
    std::string name;
    friend auto operator<=>(const key&, const key&) = default;
  };

  // Around a request: sent() before it, then acknowledged() or refused().
  void sent(const key& work);
  void acknowledged(const key& work, generation wanted);
  void refused(const key& work, const error& why);
  /// The administrator takes the work away; it is done when it is gone.
  void removing(const key& work);
  /// With the cluster go its works: they are not waited for, and not missed.
  void forget_cluster(const std::string& cluster);

  /// What the watch shows.
  void saw(const work_sight& sight);

  struct standing {
    std::size_t works = 0;   ///< acknowledged and not removed
    std::size_t open = 0;    ///< sent and not seen done
    std::uint64_t done = 0;  ///< since the last begin()
    std::uint64_t failed = 0;
    std::uint64_t reports = 0;  ///< seen done since the start
    std::string last_problem;
  };
  /// Counts and times anew. What is still open was given up: nothing waits for it any more.
  void begin();
  standing now() const;
  sim_report::latency_histogram take_times();
  void wait_change(duration d) const;
  /// Works that were acknowledged and that the hub does not show as they were asked for: names, at most `most`.
  std::vector<std::string> missing(std::size_t most) const;
  /// All that the hub has acknowledged, and that is to stay.
  std::vector<std::pair<key, generation>> promised() const;
  /// Those of a cluster that are wanted.
  std::size_t wanted_on(const std::string& cluster) const;

 private:
  struct entry {
    clock::time_point since;
    generation wanted;  ///< acknowledged; 0: not yet
    generation up;      ///< newest generation seen Applied and Available
    bool open = false;
    bool answered = false;  ///< the newest request is; so `wanted` is what it made
    bool removed = false;
    bool seen = false;
  };
  void settle(entry& e, bool good);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<key, entry> works_;
  standing standing_;
  sim_report::latency_histogram times_;
};

}  // namespace wh
