#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wh {

using metric_labels = std::map<std::string, std::string>;

/// What a server's /metrics said, by name and labels.
struct metrics {
  std::map<std::string, std::map<metric_labels, double>> families;

  /// The value of exactly this series; nothing if there is none.
  std::optional<double> value(const std::string& name, const metric_labels& labels = {}) const;
  /// The sum of a family's series that carry all of these labels; 0 if there are none.
  double sum(const std::string& name, const metric_labels& with = {}) const;
  /// Sums by the values of one label: messages by kind of actor, requests by code.
  std::map<std::string, double> sums_by(const std::string& name, const std::string& label,
                                        const metric_labels& with = {}) const;
  /// A histogram without labels: how many observations each upper bound counts that no lower one does. The last bound is
  /// infinite. Empty if there is no such histogram.
  std::map<double, double> buckets(const std::string& name) const;
};

/// Prometheus' text format. Comments and times are skipped; an error names the line that is none of it.
result<metrics> parse_metrics(std::string_view text);

}  // namespace wh
