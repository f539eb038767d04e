#include "sim/report/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace wh::sim_report {
namespace {

constexpr std::uint64_t exact_below = 128;  ///< microseconds with a bucket each
constexpr std::uint64_t steps = 64;         ///< buckets to each power of two above
constexpr int first_power = 7;              ///< 2^7 = 128
constexpr int last_power = 39;
constexpr std::size_t buckets_max = exact_below + (last_power - first_power + 1) * steps;
static_assert(latency_histogram::latency_max.count() == (std::int64_t{1} << (last_power + 1)) - 1);
static_assert(latency_histogram::relative_error_max == 0.5 / steps);

std::size_t index_of(std::uint64_t us) {
  if (us < exact_below) return us;
  const int power = std::bit_width(us) - 1;
  const auto step = (us >> (power - first_power + 1)) - steps;
  return exact_below + static_cast<std::size_t>(power - first_power) * steps + step;
}

struct range {
  std::uint64_t first;
  std::uint64_t last;
};

range range_of(std::size_t index) {
  if (index < exact_below) return {index, index};
  const auto shift = (index - exact_below) / steps + 1;
  const auto first = (steps + (index - exact_below) % steps) << shift;
  return {first, first + (std::uint64_t{1} << shift) - 1};
}

duration to_duration(std::uint64_t us) { return duration(static_cast<std::int64_t>(us)); }

}  // namespace

void latency_histogram::add(duration latency, std::uint64_t times) {
  if (times == 0) return;
  latency = std::clamp(latency, duration::zero(), latency_max);
  const auto index = index_of(static_cast<std::uint64_t>(latency.count()));
  if (index >= counts_.size()) counts_.resize(index + 1);
  counts_[index] += times;
  min_ = empty() ? latency : std::min(min_, latency);
  max_ = std::max(max_, latency);
  count_ += times;
  sum_us_ += static_cast<double>(latency.count()) * static_cast<double>(times);
}

void latency_histogram::merge(const latency_histogram& other) {
  if (other.empty()) return;
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  min_ = empty() ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_us_ += other.sum_us_;
}

duration latency_histogram::mean() const {
  return duration(empty() ? 0 : std::llround(sum_us_ / static_cast<double>(count_)));
}

duration latency_histogram::percentile(double p) const {
  if (empty()) return duration::zero();
  // The small amount taken off keeps 99.9 % of 1,000 at rank 999, which binary fractions miss by a hair.
  const auto wanted = std::ceil(std::clamp(p, 0.0, 100.0) / 100 * static_cast<double>(count_) - 1e-9);
  if (wanted <= 1) return min_;
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    passed += counts_[i];
    if (static_cast<double>(passed) < wanted) continue;
    const auto [first, last] = range_of(i);
    return std::clamp(to_duration(first + (last - first) / 2), min_, max_);
  }
  return max_;
}

std::vector<latency_histogram::bucket> latency_histogram::buckets() const {
  std::vector<bucket> used;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] != 0) used.push_back({i, counts_[i]});
  return used;
}

result<latency_histogram> latency_histogram::restore(const std::vector<bucket>& buckets, duration min, duration max,
                                                     double sum_us) {
  latency_histogram made;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto [index, count] = buckets[i];
    const auto where = "buckets[" + std::to_string(i) + "]";
    if (index >= buckets_max) return fail(errc::corrupt, where + ": there is no bucket " + std::to_string(index));
    if (index < made.counts_.size()) return fail(errc::corrupt, where + ": buckets must be in ascending order");
    if (count == 0 || count > std::numeric_limits<std::uint64_t>::max() - made.count_)
      return fail(errc::corrupt, where + ": a count of " + std::to_string(count) + " cannot be");
    made.counts_.resize(index + 1);
    made.counts_[index] = count;
    made.count_ += count;
  }
  made.min_ = min;
  made.max_ = max;
  made.sum_us_ = sum_us;
  if (buckets.empty()) {
    if (min == duration::zero() && max == duration::zero() && sum_us == 0) return made;
    return fail(errc::corrupt, "buckets: empty, yet the other figures are not 0");
  }
  if (min < duration::zero() || index_of(static_cast<std::uint64_t>(min.count())) != buckets.front().index)
    return fail(errc::corrupt, "min_us: not in the first bucket");
  if (max > latency_max || max < min || index_of(static_cast<std::uint64_t>(max.count())) != buckets.back().index)
    return fail(errc::corrupt, "max_us: not in the last bucket");
  // Sums of doubles are a little off; a sum outside of what the extremes allow was never one.
  const auto mean = sum_us / static_cast<double>(made.count_);
  if (!(mean >= static_cast<double>(min.count()) - 1 && mean <= static_cast<double>(max.count()) + 1))
    return fail(errc::corrupt, "sum_us: not a sum of these latencies");
  return made;
}

}  // namespace wh::sim_report
