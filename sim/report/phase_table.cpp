#include "sim/report/numbers.hpp"
#include "sim/report/report_parts.hpp"

namespace wh::sim_report {
namespace {

markup column(const std::string& name, attributes more = {}) {
  more.insert(more.begin(), {"scope", "col"});
  return element("th", more, text(name));
}

markup number_cell(const std::string& shown, attributes more = {}, const std::string& css_class = "number") {
  more.insert(more.begin(), {"class", css_class});
  return element("td", more, text(shown));
}

markup head() {
  const attributes number = {{"class", "number"}};
  auto cells = column("Phase");
  for (const auto* name : {"Wanted", "Done", "Failed", "Duration", "Rate"}) cells += column(name, number);
  cells += column("Per unit, by", {{"class", "clock"}});
  for (const auto* name : {"p50", "p90", "p99", "max"}) cells += column(name, number);
  return element("thead", element("tr", cells));
}

markup latency_cells(const std::string& clock, const latency_histogram& latencies) {
  const auto shown = [&](duration d) { return latencies.empty() ? std::string("-") : show(d); };
  return element("td", {{"class", "clock"}}, text(clock)) + number_cell(shown(latencies.percentile(50))) +
         number_cell(shown(latencies.percentile(90))) + number_cell(shown(latencies.percentile(99))) +
         number_cell(shown(latencies.max()));
}

markup phase_cells(const phase_result& phase, const attributes& tall) {
  auto name = element("strong", phase.name);
  if (!phase.about.empty()) name += element("span", {{"class", "soft"}}, text(phase.about));
  if (!phase.skipped.empty()) name += element("span", {{"class", "soft"}}, text("Not done: " + phase.skipped));
  attributes header = {{"scope", "row"}};
  header.insert(header.end(), tall.begin(), tall.end());
  const bool counts = phase.wanted + phase.done + phase.failed > 0;
  const auto wanted = show_count(phase.wanted) + (phase.unit.empty() ? "" : " " + phase.unit);
  return element("th", header, name) + number_cell(counts ? wanted : "-", tall) +
         number_cell(counts ? show_count(phase.done) : "-", tall) +
         number_cell(counts ? show_count(phase.failed) : "-", tall, phase.failed > 0 ? "number bad" : "number") +
         number_cell(show(phase.ends_s - phase.begins_s, quantity::seconds), tall) +
         number_cell(show(rate_of(phase), quantity::per_second), tall);
}

/// One row for each clock that measured something, one row at least.
markup rows_of(const phase_result& phase) {
  const bool both = !phase.client.empty() && !phase.hub.empty();
  const auto cells = phase_cells(phase, both ? attributes{{"rowspan", "2"}} : attributes{});
  if (both)
    return element("tr", {{"class", "more"}}, cells + latency_cells("client clock", phase.client)) +
           element("tr", latency_cells("hub clock", phase.hub));
  if (!phase.hub.empty()) return element("tr", cells + latency_cells("hub clock", phase.hub));
  return element("tr", cells + latency_cells(phase.client.empty() ? "-" : "client clock", phase.client));
}

}  // namespace

markup phase_table(const run_results& run) {
  if (run.phases.empty()) return element("p", "No phase was run.");
  markup rows;
  for (const auto& phase : run.phases) rows += rows_of(phase);
  const auto* caption = "What was done, in order. The rate is units done in a second of the phase.";
  return element(
      "div", {{"class", "wide"}},
      element("table", {{"class", "phases"}}, element("caption", caption) + head() + element("tbody", rows)));
}

}  // namespace wh::sim_report
