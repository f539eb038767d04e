#pragma once
#include <vector>

#include "sim/report/line_chart.hpp"
#include "sim/report/report_html.hpp"

namespace wh::sim_report {

/// What the samples of a run show over time, in reading order. A chart without any value draws as nothing.
std::vector<line_chart> charts_over_time(const run_results& run);

/// Bytes per cluster by number of clusters.
line_chart cost_chart(const std::vector<cost_point>& costs);

}  // namespace wh::sim_report
