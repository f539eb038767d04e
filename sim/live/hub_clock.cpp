#include "sim/live/hub_clock.hpp"

#include <algorithm>
#include <cmath>

namespace wh {

namespace {

double total(const hub_clock_reading& all) {
  double sum = 0;
  for (const auto& [bound, count] : all) sum += count;
  return sum;
}

}  // namespace

hub_clock_reading read_hub_clock(admin_client& admin) {
  const auto m = admin.scrape();
  return m ? m->buckets("wheelhouse_work_report_seconds") : hub_clock_reading();
}

sim_report::latency_histogram passed_between(const hub_clock_reading& before, const hub_clock_reading& after) {
  const bool restarted = total(after) < total(before);
  sim_report::latency_histogram out;
  double lower = 0;
  for (const auto& [bound, count] : after) {
    const auto was = before.find(bound);
    const double counted = restarted || was == before.end() ? count : count - was->second;
    const auto more = static_cast<std::uint64_t>(std::max(0.0, counted));
    const double upper = std::isinf(bound) ? lower : bound;
    for (std::uint64_t i = 0; i < more; ++i) {
      const double part = (static_cast<double>(i) + 0.5) / static_cast<double>(more);
      out.add(std::chrono::duration_cast<duration>(std::chrono::duration<double>(lower + (upper - lower) * part)));
    }
    lower = upper;
  }
  return out;
}

}  // namespace wh
