#include "sim/report/report_html.hpp"

#include <map>

#include "nodes/common/files.hpp"
#include "sim/report/latency_chart.hpp"
#include "sim/report/report_parts.hpp"
#include "sim/report/time_charts.hpp"

namespace wh::sim_report {
namespace {

markup section(const std::string& id, std::string_view title, const markup& inside) {
  if (inside.code.empty()) return {};
  return element("section", {{"id", id}, {"aria-labelledby", id + "-heading"}},
                 element("h2", {{"id", id + "-heading"}}, text(title)) + inside);
}

markup over_time(const run_results& run) {
  markup charts;
  for (const auto& chart : charts_over_time(run)) charts += draw(chart);
  if (charts.code.empty()) return element("p", "No samples were taken.");
  constexpr auto* about =
      "All charts below share one time axis. Shaded stretches are the phases. Rates and averages are over the time "
      "between two samples; a gap means that a value could not be read, for example while the hub was down.";
  return element("p", about) + charts;
}

markup body_of(const run_results& run, const std::vector<cost_point>& costs) {
  auto main = introduction(run) + section("headline", "At a glance", headline_tiles(run)) +
              section("phases", "Phases", phase_table(run)) + section("problems", "Problems", problem_list(run)) +
              section("latency", "Latencies", draw_latencies(run.phases)) +
              section("time", "Over time", over_time(run));
  if (costs.size() >= 2) main += section("costs", "Growth", draw(cost_chart(costs)));
  main += section("figures", "More figures", figure_table(run)) +
          section("setup", "Configuration and machine", configuration_tables(run)) +
          section("words", "Words", glossary());
  return element("main", main);
}

}  // namespace

std::vector<cost_point> costs_of(const std::vector<run_results>& runs) {
  std::map<double, double> by_size;
  for (const auto& run : runs)
    if (run.head.hub_rss_anon_bytes_per_cluster)
      by_size[static_cast<double>(run.info.clusters)] = *run.head.hub_rss_anon_bytes_per_cluster;
  std::vector<cost_point> costs;
  for (const auto& [clusters, bytes] : by_size) costs.push_back({clusters, bytes});
  return costs;
}

std::string to_html(const run_results& run, const std::vector<cost_point>& costs) {
  std::string head =
      R"(<meta charset="utf-8" /><meta name="viewport" content="width=device-width, initial-scale=1" />)";
  head += R"(<meta name="color-scheme" content="light dark" />)";
  head += element("title", "Scale run " + run.info.scenario + ", " + to_rfc3339(run.info.started_at)).code;
  head += "<style>" + std::string(page_style()) + "</style>";
  const auto script = "<script>" + std::string(page_script()) + "</script>";
  return "<!DOCTYPE html>\n<html lang=\"en\"><head>" + head + "</head>\n<body>" + body_of(run, costs).code + script +
         "</body></html>\n";
}

result<void> write_report(const std::string& folder, const run_results& run, const std::vector<cost_point>& costs) {
  return write_file_atomically(folder + "/" + std::string(report_file_name), to_html(run, costs), 0644);
}

}  // namespace wh::sim_report
