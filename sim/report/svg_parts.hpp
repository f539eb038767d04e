#pragma once
#include <string>
#include <vector>

#include "sim/report/line_chart.hpp"

// Pieces that our charts share. Coordinates are units of the drawing; style.cpp gives every class its colours.
namespace wh::sim_report {

inline constexpr double drawing_width = 960;

struct box {
  double left;
  double top;
  double right;
  double bottom;
};

/// A coordinate with one decimal: finer than any screen.
std::string at(double coordinate);
markup line(double x1, double y1, double x2, double y2, const std::string& css_class);
/// `anchor` is start, middle or end.
markup label(double x, double y, const std::string& content, const std::string& anchor,
             const std::string& css_class = "");
/// The drawing with title and description for those who cannot see it.
markup drawing(const std::string& id, const std::string& title, const std::string& about, double height,
               attributes more, const markup& inside);

/// How many rows of names the bands need.
int rows_of(const std::vector<band>& bands, const box& plot, double x_end);
/// Shaded bands, their names in rows above the plot. A name that fits in no row is left to the band's tooltip.
markup draw_bands(const std::vector<band>& bands, const box& plot, double x_end);

}  // namespace wh::sim_report
