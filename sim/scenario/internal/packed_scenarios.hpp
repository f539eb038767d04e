#pragma once
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace wh::internal {

/// The files of sim/scenarios/ as they were at build time, by name.
const std::vector<builtin_scenario_info>& packed_scenarios();

}  // namespace wh::internal
