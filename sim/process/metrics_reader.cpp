#include "sim/process/metrics_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "sim/process/proc_text.hpp"

namespace wh {
namespace {

bool carries(const metric_labels& labels, const metric_labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
    const auto found = labels.find(want.first);
    return found != labels.end() && found->second == want.second;
  });
}

/// Takes blanks and then `c` off `line`.
bool take(std::string_view& line, char c) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.starts_with(c)) return false;
  line.remove_prefix(1);
  return true;
}

/// A label's value up to its closing quote, escapes undone.
std::optional<std::string> take_quoted(std::string_view& line) {
  std::string value;
  if (!take(line, '"')) return std::nullopt;
  while (!line.empty() && line.front() != '"') {
    char c = line.front();
    line.remove_prefix(1);
    if (c == '\\') {
      if (line.empty()) return std::nullopt;
      c = line.front() == 'n' ? '\n' : line.front();
      line.remove_prefix(1);
    }
    value += c;
  }
  if (!take(line, '"')) return std::nullopt;
  return value;
}

/// `a="b",c="d"}`, the opening brace taken already.
std::optional<metric_labels> take_labels(std::string_view& line) {
  metric_labels labels;
  while (!take(line, '}')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string name(trimmed(line.substr(0, equals)));
    line.remove_prefix(equals + 1);
    auto value = take_quoted(line);
    if (name.empty() || !value) return std::nullopt;
    labels[name] = std::move(*value);
    if (!take(line, ',') && (line.empty() || line.front() != '}')) return std::nullopt;
  }
  return labels;
}

/// A number as Prometheus writes it, `NaN` and `+Inf` included; a time may follow.
std::optional<double> take_value(std::string_view line) {
  line = trimmed(line);
  const std::string text(line.substr(0, line.find_first_of(" \t")));
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size()) return std::nullopt;
  return value;
}

bool parse_line(std::string_view line, metrics& all) {
  const auto name_end = line.find_first_of("{ \t");
  if (name_end == 0 || name_end == std::string_view::npos) return false;
  const std::string name(line.substr(0, name_end));
  line.remove_prefix(name_end);
  metric_labels labels;
  if (take(line, '{')) {
    auto taken = take_labels(line);
    if (!taken) return false;
    labels = std::move(*taken);
  }
  const auto value = take_value(line);
  if (!value) return false;
  all.families[name][std::move(labels)] = *value;
  return true;
}

}  // namespace

std::optional<double> metrics::value(const std::string& name, const metric_labels& labels) const {
  const auto family = families.find(name);
  if (family == families.end()) return std::nullopt;
  const auto series = family->second.find(labels);
  return series == family->second.end() ? std::nullopt : std::optional<double>(series->second);
}

double metrics::sum(const std::string& name, const metric_labels& with) const {
  double total = 0;
  if (const auto family = families.find(name); family != families.end())
    for (const auto& [labels, value] : family->second)
      if (carries(labels, with)) total += value;
  return total;
}

std::map<std::string, double> metrics::sums_by(const std::string& name, const std::string& label,
                                               const metric_labels& with) const {
  std::map<std::string, double> sums;
  const auto family = families.find(name);
  if (family == families.end()) return sums;
  for (const auto& [labels, value] : family->second)
    if (const auto found = labels.find(label); found != labels.end() && carries(labels, with))
      sums[found->second] += value;
  return sums;
}

std::map<double, double> metrics::buckets(const std::string& name) const {
  std::map<double, double> out;
  const auto family = families.find(name + "_bucket");
  if (family == families.end()) return out;
  for (const auto& [labels, count] : family->second) {
    const auto bound = labels.find("le");
    if (labels.size() == 1 && bound != labels.end()) out[std::strtod(bound->second.c_str(), nullptr)] = count;
  }
  double below = 0;
  for (auto& [bound, count] : out) count -= std::exchange(below, count);
  return out;
}

result<metrics> parse_metrics(std::string_view text) {
  metrics all;
  for (std::size_t number = 1; const auto line = next_line(text); ++number) {
    const auto content = trimmed(*line);
    if (content.empty() || content.front() == '#') continue;
    if (!parse_line(content, all))
      return fail(errc::corrupt, "metrics, line " + std::to_string(number) +
                                     ": not understood: " + std::string(content.substr(0, 200)));
  }
  return all;
}

}  // namespace wh
