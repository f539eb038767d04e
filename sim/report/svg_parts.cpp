#include "sim/report/svg_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/report/numbers.hpp"

namespace wh::sim_report {
namespace {

constexpr double coordinate_max = 100'000;  ///< far off any drawing
constexpr int name_rows_max = 3;
constexpr double name_row_height = 14;
constexpr double letter_width = 6.4;  ///< of the names' font, on the generous side

/// Which row each band's name goes to, -1 for none: the first in which it does not touch the name before it.
std::vector<int> rows_by_band(const std::vector<band>& bands, const box& plot, double x_end) {
  std::array<double, name_rows_max> taken;
  taken.fill(plot.left - 1);
  std::vector<int> rows;
  for (const auto& b : bands) {
    const auto begins = plot.left + (plot.right - plot.left) * b.begins / x_end;
    const auto ends = begins + letter_width * static_cast<double>(b.name.size()) + 8;
    int row = 0;
    while (row < name_rows_max && taken[static_cast<std::size_t>(row)] > begins) ++row;
    if (ends > drawing_width) row = name_rows_max;
    rows.push_back(row < name_rows_max ? row : -1);
    if (row < name_rows_max) taken[static_cast<std::size_t>(row)] = ends;
  }
  return rows;
}

}  // namespace

std::string at(double coordinate) {
  // Values out of damaged files may be so large that they overflow on the way here.
  if (std::isnan(coordinate)) coordinate = 0;
  return fmt::format("{:.1f}", std::clamp(coordinate, -coordinate_max, coordinate_max));
}

markup line(double x1, double y1, double x2, double y2, const std::string& css_class) {
  return element("line", {{"x1", at(x1)}, {"y1", at(y1)}, {"x2", at(x2)}, {"y2", at(y2)}, {"class", css_class}});
}

markup label(double x, double y, const std::string& content, const std::string& anchor, const std::string& css_class) {
  return element("text", {{"x", at(x)}, {"y", at(y)}, {"text-anchor", anchor}, {"class", css_class}}, text(content));
}

markup drawing(const std::string& id, const std::string& title, const std::string& about, double height,
               attributes more, const markup& inside) {
  attributes all = {{"xmlns", "http://www.w3.org/2000/svg"},
                    {"viewBox", "0 0 " + at(drawing_width) + " " + at(height)},
                    {"role", "img"},
                    {"aria-labelledby", id + "-title " + id + "-desc"}};
  all.insert(all.end(), more.begin(), more.end());
  return element("svg", all,
                 element("title", {{"id", id + "-title"}}, text(title)) +
                     element("desc", {{"id", id + "-desc"}}, text(about)) + inside);
}

int rows_of(const std::vector<band>& bands, const box& plot, double x_end) {
  int rows = 0;
  for (const auto row : rows_by_band(bands, plot, x_end)) rows = std::max(rows, row + 1);
  return rows;
}

markup draw_bands(const std::vector<band>& bands, const box& plot, double x_end) {
  markup drawn, names;
  const auto rows = rows_by_band(bands, plot, x_end);
  const auto x_of = [&](double x) { return plot.left + (plot.right - plot.left) * std::min(x, x_end) / x_end; };
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const auto& b = bands[i];
    const auto width = std::max(x_of(b.ends) - x_of(b.begins), 1.0);
    const auto when = show(b.begins, quantity::seconds) + " to " + show(b.ends, quantity::seconds);
    drawn += element("rect",
                     {{"x", at(x_of(b.begins))},
                      {"y", at(plot.top)},
                      {"width", at(width)},
                      {"height", at(plot.bottom - plot.top)},
                      {"class", i % 2 == 0 ? "band" : "band other"}},
                     element("title", b.name + ", " + when));
    if (rows[i] < 0) continue;
    const auto y = plot.top - 6 - name_row_height * rows[i];
    drawn += line(x_of(b.begins), plot.top, x_of(b.begins), y - 9, "flag");
    names += label(x_of(b.begins) + 3, y, b.name, "start", "band-name");
  }
  // Names last: a flag that goes up behind one must not strike it through.
  return drawn + names;
}

}  // namespace wh::sim_report
