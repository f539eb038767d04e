#pragma once
#include <string>
#include <vector>

#include "sim/report/results.hpp"

namespace wh::sim_report {

inline constexpr std::string_view report_file_name = "report.html";

/// What a cluster cost the hub in a run of some size.
struct cost_point {
  double clusters = 0;
  double bytes_per_cluster = 0;
};

/// From several runs, by number of clusters; runs without the figure are left out. Of runs of one size the last counts.
std::vector<cost_point> costs_of(const std::vector<run_results>& runs);

/// One page that needs nothing but itself: no network, no script to be read, light and dark, on paper too.
/// `costs` adds a chart if there are at least two.
std::string to_html(const run_results& run, const std::vector<cost_point>& costs = {});

/// Replaces report.html in `folder`.
result<void> write_report(const std::string& folder, const run_results& run, const std::vector<cost_point>& costs = {});

}  // namespace wh::sim_report
