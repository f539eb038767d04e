#pragma once
#include <vector>

#include "sim/report/markup.hpp"
#include "sim/report/results.hpp"

namespace wh::sim_report {

/// Median, 90 %, 99 % and maximum of every phase that has latencies, one row for each clock, on a logarithmic axis.
/// Nothing if no phase has any.
markup draw_latencies(const std::vector<phase_result>& phases);

}  // namespace wh::sim_report
