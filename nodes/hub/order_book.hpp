#pragma once
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/link.hpp"

namespace wh {

/// Counts of durations by size, as a Prometheus histogram shows them. Thread-safe.
class time_buckets {
 public:
  /// Upper bounds in seconds; longer ones are counted behind the last.
  static constexpr std::array<double, 31> bounds_s = {
      0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3,
      0.5,   0.7,    1,     1.5,   2,     3,     5,    7,     10,   15,   20,   30,   50,  70,   100};

  void add(duration d);
  /// One more than there are bounds.
  std::vector<double> counts() const;
  double sum_s() const { return static_cast<double>(micros_.load()) / 1e6; }

 private:
  std::array<std::atomic<std::uint64_t>, bounds_s.size() + 1> counts_{};
  std::atomic<std::uint64_t> micros_ = 0;
};

/// What one link has ordered and not heard of yet: times each work from the frame that sends a generation to the
/// acknowledgement of the first report of it, by when the hub has made that durable. Not thread-safe.
class order_book {
 public:
  /// Of every frame to the spoke. The time that an order took, when the frame says that it is reported.
  std::optional<duration> on_sent(const frame_to_spoke& frame, duration now);
  /// Of every frame from the spoke.
  void on_received(const frame_to_hub& frame);
  std::size_t open() const { return orders_.size(); }

 private:
  struct order {
    generation gen;
    duration since;
    std::uint64_t report = 0;  ///< number of the first report of `gen`; 0: none yet
  };
  std::map<std::string, order> orders_;  ///< by the work's name
};

}  // namespace wh
