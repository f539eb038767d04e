#include "sim/report/latency_chart.hpp"

#include <algorithm>
#include <cmath>

#include "sim/report/numbers.hpp"
#include "sim/report/svg_parts.hpp"

namespace wh::sim_report {
namespace {

constexpr double row_height = 24;
constexpr double phase_gap = 14;
constexpr std::size_t name_letters_max = 15;

double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

/// A logarithmic axis of time.
struct log_axis {
  double left;
  double right;
  double lowest;
  double highest;
  double x(duration d) const { return x(seconds(d)); }
  double x(double s) const {
    const auto share = std::log(std::max(s, lowest) / lowest) / std::log(highest / lowest);
    return left + (right - left) * std::min(share, 1.0);
  }
};

struct row {
  std::string phase;  ///< empty in a phase's second row
  std::string clock;
  const latency_histogram* latencies;
  std::string colour;
  double y;
};

std::vector<row> rows_of(const std::vector<phase_result>& phases) {
  std::vector<row> rows;
  double y = 34;
  for (const auto& phase : phases) {
    auto name = phase.name;
    if (name.size() > name_letters_max) name = name.substr(0, name_letters_max - 2) + "..";
    const auto before = rows.size();
    for (const auto* latencies : {&phase.client, &phase.hub}) {
      if (latencies->empty()) continue;
      const bool client = latencies == &phase.client;
      const bool first = rows.size() == before;
      rows.push_back({first ? name : "", client ? "client" : "hub", latencies, client ? "c1" : "c2", y});
      y += row_height;
    }
    if (rows.size() > before) y += phase_gap;
  }
  return rows;
}

/// The marks differ in shape as well as place: they must be told apart in black and white.
markup draw_marks(const row& r, const log_axis& axis) {
  const auto& l = *r.latencies;
  const auto p50 = axis.x(l.percentile(50));
  const auto p90 = axis.x(l.percentile(90));
  const auto p99 = axis.x(l.percentile(99));
  const auto max = axis.x(l.max());
  auto marks = line(p50, r.y, max, r.y, "reach " + r.colour) + line(max, r.y - 6, max, r.y + 6, "reach " + r.colour);
  marks +=
      element("path", {{"d", "M" + at(p90) + " " + at(r.y - 6) + "l6 6l-6 6l-6-6z"}, {"class", "mark " + r.colour}});
  marks += element(
      "rect",
      {{"x", at(p99 - 4.5)}, {"y", at(r.y - 4.5)}, {"width", "9"}, {"height", "9"}, {"class", "mark " + r.colour}});
  marks += element("circle", {{"cx", at(p50)}, {"cy", at(r.y)}, {"r", "5.5"}, {"class", "mark " + r.colour}});
  return marks;
}

markup draw_row(const row& r, const log_axis& axis) {
  const auto& l = *r.latencies;
  const auto values = "p50 " + show(l.percentile(50)) + ", p90 " + show(l.percentile(90)) + ", p99 " +
                      show(l.percentile(99)) + ", max " + show(l.max());
  auto drawn = element("title", r.clock + " clock: " + values);
  // Something to point at between the marks.
  drawn += element("rect", {{"x", at(axis.left)},
                            {"y", at(r.y - row_height / 2)},
                            {"width", at(axis.right - axis.left)},
                            {"height", at(row_height)},
                            {"class", "touch"}});
  if (!r.phase.empty()) drawn += label(0, r.y + 4, r.phase, "start", "strong");
  drawn += label(axis.left - 12, r.y + 4, r.clock, "end");
  drawn += label(drawing_width, r.y + 4, show(l.percentile(99)), "end");
  return element("g", drawn + draw_marks(r, axis));
}

markup draw_axis(const log_axis& axis, const std::vector<double>& ticks, double bottom) {
  markup drawn = label(drawing_width, 14, "p99", "end", "strong");
  for (const auto tick : ticks) {
    drawn += line(axis.x(tick), 20, axis.x(tick), bottom, "grid");
    drawn += label(axis.x(tick), bottom + 18, show(tick, quantity::seconds), "middle");
  }
  return drawn + line(axis.left, bottom, axis.right, bottom, "axis");
}

markup legend() {
  const auto swatch = [](const char* colour, const char* name) {
    return element("li", element("span", {{"class", std::string("swatch ") + colour}}) + text(name));
  };
  return element("ul", {{"class", "legend"}},
                 swatch("c1", "client clock") + swatch("c2", "hub clock") + element("li", "● half (p50)") +
                     element("li", "◆ 90 of 100 (p90)") + element("li", "■ 99 of 100 (p99)") +
                     element("li", "| slowest (max)"));
}

}  // namespace

markup draw_latencies(const std::vector<phase_result>& phases) {
  const auto rows = rows_of(phases);
  if (rows.empty()) return {};
  auto lowest = duration::max();
  auto highest = duration::zero();
  for (const auto& r : rows) {
    lowest = std::min(lowest, r.latencies->percentile(50));
    highest = std::max(highest, r.latencies->max());
  }
  // Zero has no place on this axis: what took less than a microsecond stands at its left end.
  const auto ticks = decade_ticks(std::max(seconds(lowest), 1e-6), std::max(seconds(highest), 1e-6));
  const log_axis axis{180, drawing_width - 80, ticks.front(), ticks.back()};
  const auto bottom = rows.back().y + row_height / 2 + 6;
  auto inside = draw_axis(axis, ticks, bottom);
  for (const auto& r : rows) inside += draw_row(r, axis);
  const std::string title = "How long one unit took, by phase";
  const std::string about =
      "From the median to the slowest, on an axis on which each line is ten times the one before. What the harness "
      "measured from outside and what the hub wrote down are apart, because clocks are never mixed.";
  return element("figure", {{"id", "latencies"}},
                 element("figcaption", element("h3", title) + element("p", about)) + legend() +
                     element("div", {{"class", "wide"}}, drawing("latencies", title, about, bottom + 26, {}, inside)));
}

}  // namespace wh::sim_report
