#pragma once
#include <string>
#include <string_view>

#include "resources/document.hpp"
#include "sim/report/results.hpp"

namespace wh::sim_report {

inline constexpr std::string_view results_schema = "wheelhouse.io/sim-results/v1";
inline constexpr std::string_view results_file_name = "results.json";
inline constexpr std::size_t results_bytes_max = std::size_t{256} << 20;
/// A week of samples and more phases than anybody reads: what is over was not written by us.
inline constexpr std::size_t samples_max = 1'000'000;
inline constexpr std::size_t phases_max = 10'000;

document to_document(const run_results& run);
/// Members that this version does not know are passed over. Errors begin with the path of the field:
/// `phases[2].client.max_us: not in the last bucket`.
result<run_results> from_document(const document& doc);

/// The text of a results file and back.
std::string to_json(const run_results& run);
result<run_results> parse_results(std::string_view text);

/// `path` is a file, or a run's folder with results.json in it. Errors name the file.
result<run_results> read_results(const std::string& path);
/// Replaces results.json in `folder`; a crash leaves the old file or the new one.
result<void> write_results(const std::string& folder, const run_results& run);

}  // namespace wh::sim_report
