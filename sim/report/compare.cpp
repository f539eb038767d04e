#include "sim/report/compare.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/report/results_file.hpp"

namespace wh::sim_report {
namespace {

/// The phase of this name; runs may have several of one name, which count from 0.
const phase_result* find_phase(const run_results& run, const std::string& name, std::size_t nth) {
  for (const auto& phase : run.phases)
    if (phase.name == name && nth-- == 0) return &phase;
  return nullptr;
}

std::optional<double> seconds(const latency_histogram& latencies, double p) {
  if (latencies.empty()) return std::nullopt;
  return std::chrono::duration<double>(latencies.percentile(p)).count();
}

template <class Get>
compared_row row_of(std::string name, quantity q, direction better, const phase_result* a, const phase_result* b,
                    Get get) {
  compared_row row{.name = std::move(name), .shown_as = q, .better = better};
  if (a) row.a = get(*a);
  if (b) row.b = get(*b);
  return row;
}

/// Nothing can fail in a phase that only watches.
std::optional<double> failures(const phase_result& phase) {
  if (phase.wanted + phase.done + phase.failed == 0) return std::nullopt;
  return static_cast<double>(phase.failed);
}

void add_phase(std::vector<compared_row>& rows, const std::string& name, const phase_result* a, const phase_result* b) {
  constexpr auto less = direction::at_most;
  rows.push_back(row_of(name + ".rate", quantity::per_second, direction::at_least, a, b, rate_of));
  rows.push_back(row_of(name + ".client_p50", quantity::seconds, less, a, b,
                        [](const phase_result& p) { return seconds(p.client, 50); }));
  rows.push_back(row_of(name + ".client_p99", quantity::seconds, less, a, b,
                        [](const phase_result& p) { return seconds(p.client, 99); }));
  rows.push_back(row_of(name + ".hub_p99", quantity::seconds, less, a, b,
                        [](const phase_result& p) { return seconds(p.hub, 99); }));
  rows.push_back(row_of(name + ".failed", quantity::count, less, a, b, failures));
  rows.back().exact = true;
}

/// Names of phases in the order of `a`, then those that only `b` has; the second `join` is `join#2`.
struct phase_key {
  std::string name;
  std::size_t nth;
  std::string shown() const { return nth == 0 ? name : name + "#" + std::to_string(nth + 1); }
  friend bool operator==(const phase_key&, const phase_key&) = default;
};

std::vector<phase_key> keys_of(const run_results& a, const run_results& b) {
  std::vector<phase_key> keys;
  for (const auto* run : {&a, &b}) {
    std::map<std::string, std::size_t> seen;
    for (const auto& phase : run->phases) {
      const phase_key key{phase.name, seen[phase.name]++};
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  return keys;
}

std::vector<setting> conditions_of(const run_results& run) {
  const auto& info = run.info;
  std::vector<setting> all = {{"scenario", info.scenario},
                              {"clusters", std::to_string(info.clusters)},
                              {"transport", info.transport == link_transport::tcp ? "tcp" : "memory"},
                              {"hub", info.hub == hub_origin::started ? "started" : "attached"},
                              {"fsync", info.fsync_mode},
                              {"cpu", info.machine.cpu_model},
                              {"cores", std::to_string(info.machine.cores)}};
  all.insert(all.end(), info.configuration.begin(), info.configuration.end());
  return all;
}

const std::string* find_setting(const std::vector<setting>& settings, const std::string& name) {
  for (const auto& s : settings)
    if (s.name == name) return &s.value;
  return nullptr;
}

void add_conditions(comparison& both, const run_results& a, const run_results& b) {
  const auto of_a = conditions_of(a);
  const auto of_b = conditions_of(b);
  const auto differ = [&](const std::string& name, const std::string* in_a, const std::string* in_b) {
    both.not_alike.push_back(name + ": " + (in_a ? *in_a : "not set") + " | " + (in_b ? *in_b : "not set"));
  };
  for (const auto& [name, value] : of_a) {
    const auto* other = find_setting(of_b, name);
    if (other && *other == value) both.same.push_back({name, value});
    else differ(name, &value, other);
  }
  for (const auto& [name, value] : of_b)
    if (!find_setting(of_a, name)) differ(name, nullptr, &value);
}

const char* word_of(trend c) {
  switch (c) {
    case trend::same: return "same";
    case trend::better: return "better";
    case trend::worse: return "worse";
    case trend::unknown: break;
  }
  return "unknown";
}

document number(std::optional<double> value) { return value && std::isfinite(*value) ? document(*value) : document(); }

}  // namespace

std::optional<double> ratio_of(const compared_row& row) {
  if (!row.a || !row.b || *row.a == 0) return std::nullopt;
  const auto ratio = *row.b / *row.a;
  return std::isfinite(ratio) ? std::optional(ratio) : std::nullopt;
}

trend trend_of(const compared_row& row) {
  if (!row.a || !row.b) return trend::unknown;
  const auto margin = row.exact ? 0 : same_within * std::max(std::abs(*row.a), std::abs(*row.b));
  const auto grown = *row.b - *row.a;
  if (std::abs(grown) <= margin) return trend::same;
  return (grown > 0) == (row.better == direction::at_least) ? trend::better : trend::worse;
}

comparison compare(const run_results& a, const run_results& b) {
  comparison both;
  add_conditions(both, a, b);
  for (const auto& field : headline_fields()) {
    compared_row row{.name = field.name, .shown_as = field.shown_as, .scale = field.scale, .better = field.better};
    row.exact = field.member == &headline::lost;
    row.a = a.head.*field.member;
    row.b = b.head.*field.member;
    both.rows.push_back(row);
  }
  for (const auto& key : keys_of(a, b))
    add_phase(both.rows, key.shown(), find_phase(a, key.name, key.nth), find_phase(b, key.name, key.nth));
  std::erase_if(both.rows, [](const compared_row& row) { return !row.a && !row.b; });
  return both;
}

document to_document(const comparison& both) {
  document same = document::object();
  for (const auto& [name, value] : both.same) same[name] = value;
  document rows = document::array();
  for (const auto& row : both.rows)
    rows.push_back({{"name", row.name},
                    {"a", number(row.a)},
                    {"b", number(row.b)},
                    {"ratio", number(ratio_of(row))},
                    {"change", word_of(trend_of(row))}});
  return {{"same", std::move(same)}, {"not_alike", both.not_alike}, {"rows", std::move(rows)}};
}

result<document> compare_json(const std::string& a, const std::string& b) {
  const auto run_a = read_results(a);
  if (!run_a) return run_a.err();
  const auto run_b = read_results(b);
  if (!run_b) return run_b.err();
  return to_document(compare(*run_a, *run_b));
}

result<std::string> compare_text(const std::string& a, const std::string& b, bool colour) {
  const auto run_a = read_results(a);
  if (!run_a) return run_a.err();
  const auto run_b = read_results(b);
  if (!run_b) return run_b.err();
  return "A: " + a + "\nB: " + b + "\n" + render(compare(*run_a, *run_b), colour);
}

}  // namespace wh::sim_report
