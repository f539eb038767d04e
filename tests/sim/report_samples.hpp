#pragma once
#include <cstdint>

#include "sim/report/results.hpp"

/// A made-up run that has everything: all phases, hub restart and gaps included. Equal seeds give equal runs.
wh::sim_report::run_results made_up_run(std::uint64_t seed, std::uint64_t clusters = 5000);
