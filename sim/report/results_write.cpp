#include <cmath>

#include "nodes/common/files.hpp"
#include "sim/report/results_file.hpp"

namespace wh::sim_report {
namespace {

document number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  // Counts stay readable: 1234567, not 1234567.0.
  if (std::abs(*value) < 9e15 && *value == std::floor(*value)) return static_cast<std::int64_t>(*value);
  return *value;
}

document to_document(const machine_info& machine) {
  return {{"cpu_model", machine.cpu_model},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes},
          {"kernel", machine.kernel},
          {"fd_limit", machine.fd_limit}};
}

document to_document(const run_info& info) {
  document configuration = document::array();
  for (const auto& [name, value] : info.configuration) configuration.push_back({{"name", name}, {"value", value}});
  return {{"started_at", to_rfc3339_micro(info.started_at)},
          {"duration_s", number(info.duration_s)},
          {"scenario", info.scenario},
          {"seed", info.seed},
          {"clusters", info.clusters},
          {"transport", info.transport == link_transport::tcp ? "tcp" : "memory"},
          {"hub", info.hub == hub_origin::started ? "started" : "attached"},
          {"software_version", info.software_version},
          {"git_commit", info.git_commit},
          {"fsync_mode", info.fsync_mode},
          {"configuration", std::move(configuration)},
          {"machine", to_document(info.machine)}};
}

document to_document(const headline& head) {
  document doc = document::object();
  for (const auto& field : headline_fields()) doc[field.name] = number(head.*field.member);
  return doc;
}

document to_document(const goals& wanted) {
  document doc = document::object();
  for (const auto& [name, goal] : wanted)
    doc[name] = {{goal.wanted == direction::at_least ? "at_least" : "at_most", number(goal.limit)}};
  return doc;
}

document to_document(const latency_histogram& latencies) {
  document buckets = document::array();
  for (const auto& [index, count] : latencies.buckets()) buckets.push_back(document::array({index, count}));
  return {{"count", latencies.count()},
          {"min_us", latencies.min().count()},
          {"max_us", latencies.max().count()},
          {"sum_us", number(latencies.sum_us())},
          {"buckets", std::move(buckets)}};
}

document to_document(const phase_result& phase) {
  document figures = document::array();
  for (const auto& [name, value, unit] : phase.figures)
    figures.push_back({{"name", name}, {"value", number(value)}, {"unit", unit}});
  return {{"name", phase.name},
          {"about", phase.about},
          {"unit", phase.unit},
          {"begins_s", number(phase.begins_s)},
          {"ends_s", number(phase.ends_s)},
          {"wanted", phase.wanted},
          {"done", phase.done},
          {"failed", phase.failed},
          {"client", to_document(phase.client)},
          {"hub", to_document(phase.hub)},
          {"figures", std::move(figures)},
          {"problems", phase.problems},
          {"skipped", phase.skipped}};
}

/// Names once and numbers in rows: an hour of samples is a megabyte.
document to_document(const std::vector<sample>& samples) {
  document columns = document::array({"at_s"});
  for (const auto& column : sample_columns()) columns.push_back(column.name);
  document rows = document::array();
  for (const auto& s : samples) {
    document row = document::array({number(s.at_s)});
    for (const auto& column : sample_columns()) row.push_back(number(s.*column.member));
    rows.push_back(std::move(row));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

}  // namespace

document to_document(const run_results& run) {
  document phases = document::array();
  for (const auto& phase : run.phases) phases.push_back(to_document(phase));
  return {{"schema", results_schema},        {"run", to_document(run.info)}, {"headline", to_document(run.head)},
          {"goals", to_document(run.goals)}, {"phases", std::move(phases)},  {"samples", to_document(run.samples)},
          {"problems", run.problems}};
}

std::string to_json(const run_results& run) {
  const auto doc = to_document(run);
  // One top-level member to a line: the file can be looked into, and rows do not take a line for each number.
  std::string text = "{";
  for (const auto* separator = "\n"; const auto& [name, value] : doc.items()) {
    text += separator + document(name).dump() + ": " + value.dump(-1, ' ', false, document::error_handler_t::replace);
    separator = ",\n";
  }
  return text + "\n}\n";
}

result<void> write_results(const std::string& folder, const run_results& run) {
  return write_file_atomically(folder + "/" + std::string(results_file_name), to_json(run), 0644);
}

}  // namespace wh::sim_report
