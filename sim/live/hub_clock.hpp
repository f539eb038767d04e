#pragma once
#include <map>

#include "sim/process/admin_client.hpp"
#include "sim/report/latency_histogram.hpp"

namespace wh {

/// What the hub's histogram of reports has counted so far: observations by upper bound in seconds.
using hub_clock_reading = std::map<double, double>;

/// Empty if the hub does not answer.
hub_clock_reading read_hub_clock(admin_client& admin);

/// What was counted between two readings, those of a bucket taken for spread evenly over it, and those beyond the last
/// finite bound for being as long as that. A hub that counted less in the end was restarted, and began at zero.
sim_report::latency_histogram passed_between(const hub_clock_reading& before, const hub_clock_reading& after);

}  // namespace wh
