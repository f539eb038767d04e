#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"

namespace wh::sim_report {

/// How often which latency was seen, in at most 18 KB however many there are. Buckets are log-linear: one for each
/// microsecond up to 128, then 64 to each power of two, so a percentile is off by at most 1/128 of its value.
/// Not for several threads at once: give each its own and merge them.
class latency_histogram {
 public:
  static constexpr double relative_error_max = 1.0 / 128;
  static constexpr duration latency_max{(std::int64_t{1} << 40) - 1};  ///< some 12 days; longer ones count as this

  /// One bucket that is not empty, as the file format has it.
  struct bucket {
    std::size_t index;
    std::uint64_t count;
    friend bool operator==(const bucket&, const bucket&) = default;
  };

  /// Negative latencies count as 0: clocks of two processes may disagree by a little.
  void add(duration latency, std::uint64_t times = 1);
  void merge(const latency_histogram& other);

  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  // Exact, and zero if nothing was added.
  duration min() const { return min_; }
  duration max() const { return max_; }
  duration mean() const;
  /// The latency that `p` percent (0 to 100) do not exceed, by nearest rank; zero if nothing was added.
  duration percentile(double p) const;

  std::vector<bucket> buckets() const;
  double sum_us() const { return sum_us_; }
  /// What `buckets`, `min`, `max` and `sum_us` told. Errors name the part that cannot be: `buckets[3]`, `min_us`.
  static result<latency_histogram> restore(const std::vector<bucket>& buckets, duration min, duration max,
                                           double sum_us);

  friend bool operator==(const latency_histogram&, const latency_histogram&) = default;

 private:
  std::vector<std::uint64_t> counts_;  ///< grows to the highest bucket in use
  std::uint64_t count_ = 0;
  duration min_{0};
  duration max_{0};
  double sum_us_ = 0;
};

}  // namespace wh::sim_report
