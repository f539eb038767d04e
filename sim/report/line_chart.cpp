#include "sim/report/line_chart.hpp"

#include <algorithm>

#include "sim/report/numbers.hpp"
#include "sim/report/svg_parts.hpp"

namespace wh::sim_report {
namespace {

constexpr std::size_t points_max = 480;    ///< along the x axis; more are gathered
constexpr std::size_t dots_shown_to = 24;  ///< points few enough to be marked one by one
constexpr double plot_height = 190;

struct point {
  double x;
  std::optional<double> low;
  std::optional<double> high;
};

std::size_t step_of(const line_chart& chart) { return (chart.xs.size() + points_max - 1) / points_max; }

/// The points to draw: each stands for the same number of neighbours.
std::vector<point> gathered(const line_chart& chart, const chart_line& l) {
  std::vector<point> points;
  const auto step = step_of(chart);
  for (std::size_t first = 0; first < chart.xs.size(); first += step) {
    const auto end = std::min(first + step, chart.xs.size());
    point p{.x = chart.xs[first + (end - first) / 2], .low = {}, .high = {}};
    for (auto i = first; i < end; ++i) {
      if (!l.ys[i]) continue;
      p.low = std::min(p.low.value_or(*l.ys[i]), *l.ys[i]);
      p.high = std::max(p.high.value_or(*l.ys[i]), *l.ys[i]);
    }
    points.push_back(p);
  }
  return points;
}

std::optional<std::size_t> highest_of(const chart_line& l) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < l.ys.size(); ++i)
    if (l.ys[i] && (!best || *l.ys[i] > *l.ys[*best])) best = i;
  return best;
}

/// Where values are on the drawing.
struct frame {
  box plot;
  double x_end;
  double y_end;
  double x(double value) const { return plot.left + (plot.right - plot.left) * value / x_end; }
  double y(double value) const { return plot.bottom - (plot.bottom - plot.top) * value / y_end; }
};

/// One stroke with a gap where there is no value. A lone point is a stroke of no length, which round caps make a dot.
markup draw_line(const std::vector<point>& points, const frame& f, const std::string& colour) {
  std::string path;
  bool on_paper = false;
  for (const auto& p : points) {
    const bool lone = p.high && !on_paper;
    if (p.high) {
      path += (on_paper ? "L" : "M") + at(f.x(p.x)) + " " + at(f.y(*p.low));
      if (*p.high > *p.low) path += "V" + at(f.y(*p.high));
      if (lone) path += "h0";
    }
    on_paper = p.high.has_value();
  }
  auto drawn = element("path", {{"d", path}, {"class", "line " + colour}});
  if (points.size() <= dots_shown_to)
    for (const auto& p : points)
      if (p.high)
        drawn +=
            element("circle", {{"cx", at(f.x(p.x))}, {"cy", at(f.y(*p.high))}, {"r", "4"}, {"class", "dot " + colour}});
  return drawn;
}

/// What the pointer shows over each point, joined for one attribute.
std::string tips_of(const std::vector<point>& points, quantity q) {
  std::string tips;
  for (const auto& p : points) {
    if (&p != &points.front()) tips += '|';
    tips += show(p.high, q);
    if (p.high && *p.high > *p.low) tips += " (lowest " + show(*p.low, q) + ")";
  }
  return tips;
}

markup draw_lines(const line_chart& chart, const frame& f) {
  markup drawn;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const auto points = gathered(chart, chart.lines[i]);
    drawn += element("g", {{"data-name", chart.lines[i].name}, {"data-tips", tips_of(points, chart.shown_as)}},
                     draw_line(points, f, "c" + std::to_string(i + 1)));
  }
  return drawn + line(0, f.plot.top, 0, f.plot.bottom, "cursor");
}

markup draw_axes(const line_chart& chart, const frame& f, const std::vector<double>& y_ticks) {
  markup drawn;
  for (const auto tick : y_ticks) {
    drawn += line(f.plot.left, f.y(tick), f.plot.right, f.y(tick), tick == 0 ? "axis" : "grid");
    drawn += label(f.plot.left - 8, f.y(tick) + 4, show_tick(tick, chart.shown_as), "end");
  }
  for (const auto tick : round_ticks(f.x_end, chart.x_shown_as, 9)) {
    if (tick > f.x_end) break;
    drawn += line(f.x(tick), f.plot.bottom, f.x(tick), f.plot.bottom + 5, "axis");
    drawn += label(f.x(tick), f.plot.bottom + 19, show_tick(tick, chart.x_shown_as), "middle");
  }
  if (!chart.x_name.empty())
    drawn += label((f.plot.left + f.plot.right) / 2, f.plot.bottom + 37, chart.x_name, "middle");
  return drawn;
}

markup legend_of(const line_chart& chart) {
  markup items;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const auto& l = chart.lines[i];
    const auto best = highest_of(l);
    if (!best) continue;
    const auto most = show(*l.ys[*best], chart.shown_as) + " at " + show(chart.xs[*best], chart.x_shown_as);
    const auto swatch = element("span", {{"class", "swatch c" + std::to_string(i + 1)}});
    items += element("li", swatch + text(l.name) + element("span", {{"class", "soft"}}, text(" highest " + most)));
  }
  return element("ul", {{"class", "legend"}}, items);
}

/// The points' places for the script that shows values under the pointer.
attributes hover_data(const line_chart& chart, const frame& f) {
  std::string places, names;
  for (const auto& p : gathered(chart, chart.lines.front())) {
    places += (places.empty() ? "" : " ") + at(f.x(p.x));
    names += (names.empty() ? "" : "|") + show(p.x, chart.x_shown_as);
  }
  return {{"data-x", places}, {"data-at", names}};
}

std::string note_of(const line_chart& chart) {
  const auto step = step_of(chart);
  if (step <= 1) return chart.about;
  return chart.about + " Each point stands for " + std::to_string(step) + " samples, from the lowest to the highest.";
}

}  // namespace

markup draw(const line_chart& chart) {
  double highest = 0;
  bool any = false;
  for (const auto& l : chart.lines)
    if (const auto best = highest_of(l)) {
      highest = std::max(highest, *l.ys[*best]);
      any = true;
    }
  if (!any || !(chart.x_end > 0)) return {};
  const auto y_ticks = round_ticks(highest, chart.shown_as, 4);
  box plot{.left = 84, .top = 10, .right = drawing_width - 20, .bottom = 0};
  if (const auto rows = rows_of(chart.bands, plot, chart.x_end); rows > 0) plot.top = 8 + 14 * rows;
  plot.bottom = plot.top + plot_height;
  const frame f{plot, chart.x_end, y_ticks.back()};
  const auto height = plot.bottom + (chart.x_name.empty() ? 28 : 46);
  const auto inside = draw_bands(chart.bands, plot, chart.x_end) + draw_axes(chart, f, y_ticks) + draw_lines(chart, f);
  return element("figure", {{"id", chart.id}},
                 element("figcaption", element("h3", chart.title) + element("p", note_of(chart))) + legend_of(chart) +
                     element("div", {{"class", "wide"}},
                             drawing(chart.id, chart.title, note_of(chart), height, hover_data(chart, f), inside)));
}

}  // namespace wh::sim_report
