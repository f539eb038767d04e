#pragma once
#include <optional>
#include <string>
#include <vector>

#include "resources/document.hpp"
#include "sim/report/results.hpp"

namespace wh::sim_report {

/// Ratios closer to 1 than this are noise on a shared machine, neither better nor worse.
inline constexpr double same_within = 0.05;

enum class trend { unknown, same, better, worse };

/// One figure in both runs.
struct compared_row {
  std::string name;  ///< a headline's name, or `<phase>.<figure>`
  quantity shown_as = quantity::count;
  double scale = 1;  ///< values times scale are in the unit of `shown_as`
  direction better = direction::at_most;
  bool exact = false;  ///< any difference counts: failures and losses are no noise
  std::optional<double> a = {};
  std::optional<double> b = {};
};

/// b / a; nullopt if one is missing or a is 0.
std::optional<double> ratio_of(const compared_row& row);
trend trend_of(const compared_row& row);

struct comparison {
  std::vector<setting> same;           ///< what both runs share: scenario, clusters, ...
  std::vector<compared_row> rows;      ///< headlines, then phases that either has
  std::vector<std::string> not_alike;  ///< `clusters: 1000 | 5000`, because then the figures mean little
};

comparison compare(const run_results& a, const run_results& b);

/// A table for a terminal. Better and worse are said in words; colours repeat them.
std::string render(const comparison& both, bool colour);
document to_document(const comparison& both);

// The same from run folders or results files.
result<std::string> compare_text(const std::string& a, const std::string& b, bool colour);
result<document> compare_json(const std::string& a, const std::string& b);

}  // namespace wh::sim_report
