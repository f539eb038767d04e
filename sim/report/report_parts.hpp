#pragma once
#include <string_view>

#include "sim/report/markup.hpp"
#include "sim/report/results.hpp"

// The parts of the page that are no charts.
namespace wh::sim_report {

/// What was run, in two sentences, for people who have never seen the project.
markup introduction(const run_results& run);
/// The figures that the run is judged by, as tiles with their goals.
markup headline_tiles(const run_results& run);
markup phase_table(const run_results& run);
/// The figures that single phases have; nothing if there are none.
markup figure_table(const run_results& run);
/// What went wrong or was noted; says so if nothing was.
markup problem_list(const run_results& run);
markup configuration_tables(const run_results& run);
/// The project's words.
markup glossary();

// Both are ours to the last character, free of `<` and `&`.
std::string_view page_style();
std::string_view page_script();

}  // namespace wh::sim_report
