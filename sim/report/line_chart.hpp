#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/report/markup.hpp"
#include "sim/report/results.hpp"

namespace wh::sim_report {

/// A stretch of the x axis that is shaded and named.
struct band {
  std::string name;
  double begins = 0;
  double ends = 0;
};

struct chart_line {
  std::string name;
  std::vector<std::optional<double>> ys;  ///< one for each x; a gap where nullopt
};

/// Lines over one axis, y from 0. More points than fit are gathered: then a line shows the lowest and the highest of
/// each gathering, so no spike is lost.
struct line_chart {
  std::string id = {};     ///< unique on the page
  std::string title = {};  ///< what is seen
  std::string about = {};  ///< how to read it, a sentence
  quantity shown_as = quantity::count;
  std::vector<double> xs = {};  ///< ascending
  double x_end = 0;
  quantity x_shown_as = quantity::seconds;
  std::string x_name = {};
  std::vector<chart_line> lines = {};  ///< at most 4 can be told apart
  std::vector<band> bands = {};
};

/// The chart as a figure with caption and legend; nothing if no line has a value.
markup draw(const line_chart& chart);

}  // namespace wh::sim_report
