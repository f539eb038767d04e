#include "sim/report/numbers.hpp"
#include "sim/report/report_parts.hpp"

namespace wh::sim_report {
namespace {

markup column(const std::string& name, attributes more = {}) {
  more.insert(more.begin(), {"scope", "col"});
  return element("th", more, text(name));
}

markup number_cell(const std::string& shown, const std::string& css_class = "number") {
  return element("td", {{"class", css_class}}, text(shown));
}

markup head() {
  const attributes two = {{"rowspan", "2"}};
  const attributes number_two = {{"rowspan", "2"}, {"class", "number"}};
  auto first = column("Phase", two);
  for (const auto* name : {"Wanted", "Done", "Failed", "Duration", "Rate"}) first += column(name, number_two);
  for (const auto* clock : {"Per unit, client clock", "Per unit, hub clock"})
    first += element("th", {{"scope", "colgroup"}, {"colspan", "4"}, {"class", "group"}}, text(clock));
  markup second;
  for (const auto* clock : {"client", "hub"})
    for (const auto* name : {"p50", "p90", "p99", "max"})
      second += column(name, {{"class", name == std::string("p50") ? "number group" : "number"}, {"title", clock}});
  return element("thead", element("tr", first) + element("tr", second));
}

markup latency_cells(const latency_histogram& latencies) {
  const auto shown = [&](duration d) { return latencies.empty() ? std::string("-") : show(d); };
  return number_cell(shown(latencies.percentile(50)), "number group") + number_cell(shown(latencies.percentile(90))) +
         number_cell(shown(latencies.percentile(99))) + number_cell(shown(latencies.max()));
}

markup row(const phase_result& phase) {
  auto name = element("strong", phase.name);
  if (!phase.about.empty()) name += element("span", {{"class", "soft"}}, text(phase.about));
  auto cells = element("th", {{"scope", "row"}}, name);
  const bool counts = phase.wanted + phase.done + phase.failed > 0;
  const auto wanted = show_count(phase.wanted) + (phase.unit.empty() ? "" : " " + phase.unit);
  cells += number_cell(counts ? wanted : "-") + number_cell(counts ? show_count(phase.done) : "-");
  cells += number_cell(counts ? show_count(phase.failed) : "-", phase.failed > 0 ? "number bad" : "number");
  cells += number_cell(show(phase.ends_s - phase.begins_s, quantity::seconds));
  cells += number_cell(show(rate_of(phase), quantity::per_second));
  return element("tr", cells + latency_cells(phase.client) + latency_cells(phase.hub));
}

}  // namespace

markup phase_table(const run_results& run) {
  if (run.phases.empty()) return element("p", "No phase was run.");
  markup rows;
  for (const auto& phase : run.phases) rows += row(phase);
  const auto* caption = "What was done, in order. The rate is units done in a second of the phase.";
  return element(
      "div", {{"class", "wide"}},
      element("table", {{"class", "phases"}}, element("caption", caption) + head() + element("tbody", rows)));
}

}  // namespace wh::sim_report
