// The report page: readable by anybody, harmless whatever the names in it.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <vector>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "nodes/common/files.hpp"
#include "sim/report/numbers.hpp"
#include "sim/report/report_html.hpp"
#include "sim/report/results_file.hpp"
#include "sim/report/time_charts.hpp"
#include "tests/sim/report_samples.hpp"
#include "tests/sim/well_formed.hpp"

using namespace wh;
using namespace wh::sim_report;

namespace {

std::size_t count_of(const std::string& page, const std::string& what) {
  std::size_t count = 0;
  for (auto at = page.find(what); at != std::string::npos; at = page.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("the report is one well-formed page that refers to nothing outside of it", "[report]") {
  auto page = to_html(made_up_run(1), {{1000, 50000}, {5000, 20000}});
  CHECK(complaint_about_page(page) == "");
  for (const auto* outside : {"src=", "@import", "url(", "<link", "<iframe", "fetch(", "XMLHttpRequest"})
    CHECK(count_of(page, outside) == 0);
  const std::string svg = "xmlns=\"http://www.w3.org/2000/svg\"";
  CHECK(count_of(page, "://") == count_of(page, svg));
  CHECK(count_of(page, "<svg") == count_of(page, svg));
}

TEST_CASE("the check for well-formed pages can fail", "[report]") {
  const std::string start = "<!DOCTYPE html>\n";
  CHECK(complaint_about_page(start + "<p id=\"a\">x<br />y</p>") == "");
  for (const auto* bad : {"<p>", "</p>", "<p><b></p></b>", "<p a=b></p>", "<p a=\"<\"></p>", "1 < 2",
                          "<p a=\"1\" a=\"2\"></p>", "<p id=\"x\"></p><p id=\"x\"></p>", "<p a=\"", "<"})
    CHECK(complaint_about_page(start + bad) != "");
}

TEST_CASE("every drawing has a title and a description", "[report]") {
  const auto page = to_html(made_up_run(1), {{1000, 50000}, {5000, 20000}});
  const auto drawings = count_of(page, "<svg");
  CHECK(drawings == charts_over_time(made_up_run(1)).size() + 2);  // latencies and growth
  CHECK(count_of(page, "role=\"img\"") == drawings);
  CHECK(count_of(page, "-title\">") == drawings);
  CHECK(count_of(page, "<desc id=") == drawings);
}

TEST_CASE("the report says what was run and which goals were kept", "[report]") {
  const auto page = to_html(made_up_run(1));
  CHECK_THAT(page, Catch::Contains("Scale run: everything") && Catch::Contains("a harness played 5,000 clusters"));
  CHECK_THAT(page, Catch::Contains("4 of 6 goals met, 1 missed, 1 not measured."));
  CHECK_THAT(page, Catch::Contains("11.2 s") && Catch::Contains("goal: at most 10 s") && Catch::Contains("✗ missed"));
  CHECK_THAT(page, Catch::Contains("fan-out: c17: no answer") || Catch::Contains("No problems were noted."));
  CHECK_THAT(page, Catch::Contains("Imaginary CPU @ 3.0 GHz"));
}

TEST_CASE("names in a report are text, whatever they look like", "[report]") {
  const std::string evil = "<script>alert(\"x\" & 'y')</script>";
  auto run = made_up_run(1, 200);
  run.info.scenario = run.info.git_commit = run.info.machine.cpu_model = run.info.fsync_mode = evil;
  run.info.software_version = "\"><img src=x onerror=alert(1)>";
  run.info.configuration = {{evil, evil}};
  run.problems = {evil, "not UTF-8: \xff\xfe, control: \x01\x1b[31m"};
  for (auto& phase : run.phases) phase.name = phase.about = phase.unit = evil;
  run.phases[0].figures = {{evil, 1, evil}};
  run.phases[0].problems = {evil};
  const auto page = to_html(run);
  CHECK(complaint_about_page(page) == "");
  CHECK(count_of(page, "<script>") == 1);  // ours
  CHECK(count_of(page, "<img") == 0);
  CHECK(count_of(page, "\x1b") == 0);
  CHECK(is_utf8(page));
}

TEST_CASE("a run without phases, samples or goals has a report", "[report]") {
  const auto page = to_html({});
  CHECK(complaint_about_page(page) == "");
  CHECK(count_of(page, "<svg") == 0);
  CHECK_THAT(page, Catch::Contains("This run had no goals.") && Catch::Contains("No samples were taken."));
}

TEST_CASE("values at the ends of what a number can be break no chart", "[report]") {
  const double ends[] = {0, 5e-324, 1e-300, -1, -1e300, 1e300, std::numeric_limits<double>::max()};
  rng r(3);
  for (int round = 0; round < 60; ++round) {
    auto run = made_up_run(2, 30);
    run.samples.resize(4);
    for (auto& s : run.samples)
      for (const auto& column : sample_columns()) s.*column.member = ends[r.below(std::size(ends))];
    run.info.duration_s = std::abs(ends[r.below(std::size(ends))]);
    for (auto& phase : run.phases) phase.ends_s = phase.begins_s + std::abs(ends[r.below(std::size(ends))]);
    for (const auto& field : headline_fields()) run.head.*field.member = ends[r.below(std::size(ends))];
    run.phases[0].client = {};
    run.phases[0].client.add(duration(0), ~std::uint64_t{0} / 2);
    const auto page = to_html(run, {{1, 1e308}, {1e300, 0}});
    INFO("round " << round);
    CHECK(complaint_about_page(page) == "");
    CHECK(count_of(page, "nan") == 0);
    CHECK(count_of(page, "\"inf") == 0);
  }
}

TEST_CASE("a spike survives when a long run's samples are gathered", "[report]") {
  run_results run;
  run.info.duration_s = 20'000;
  for (int i = 0; i < 20'000; ++i)
    run.samples.push_back({.at_s = double(i), .hub_cpu_fraction = i == 12'345 ? 7.5 : 0.1});
  const auto page = to_html(run);
  CHECK_THAT(page, Catch::Contains("Each point stands for 42 samples"));
  CHECK_THAT(page, Catch::Contains("7.5 cores (lowest 0.1 cores)"));
  CHECK_THAT(page, Catch::Contains("highest 7.5 cores"));
  CHECK(page.size() < 100'000);
}

TEST_CASE("counters that begin anew give a gap, not a negative rate", "[report]") {
  run_results run;
  run.info.duration_s = 4;
  for (const double commits : {10.0, 20.0, 5.0, 9.0})
    run.samples.push_back({.at_s = double(run.samples.size()), .commits = commits, .batches = commits * 3});
  run.samples[1].store_revision = 100;
  run.samples[2].store_revision = 1'000'100;
  run.samples[3].store_revision = 1'000'120;
  for (const auto& chart : charts_over_time(run)) {
    if (chart.id == "changes") CHECK(chart.lines[0].ys == std::vector<std::optional<double>>{{}, {}, {}, 20});
    if (chart.id == "changes") CHECK(chart.lines[1].ys == std::vector<std::optional<double>>{{}, 10, {}, 4});
    if (chart.id == "batches") CHECK(chart.lines[0].ys == std::vector<std::optional<double>>{{}, 3, {}, 3});
  }
}

TEST_CASE("the report is written beside the results, the chart of growth with it", "[report]") {
  const auto folder = std::filesystem::temp_directory_path() / ("wh_report_page_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::vector<run_results> runs = {made_up_run(1, 300), made_up_run(2, 100), {}};
  const auto costs = costs_of(runs);
  REQUIRE(costs.size() == 2);
  CHECK(costs[0].clusters == 100);
  REQUIRE(write_report(folder.string(), runs[0], costs));
  CHECK_THAT(*read_file((folder / "report.html").string()), Catch::Contains("Cost of a cluster"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("numbers are shown with three digits and a unit that fits", "[report]") {
  using q = quantity;
  CHECK(show(0.0, q::seconds) == "0 s");
  CHECK(show(0.0000042, q::seconds) == "4.2 µs");
  CHECK(show(0.0143, q::seconds) == "14.3 ms");
  CHECK(show(0.99996, q::seconds) == "1 s");
  CHECK(show(95.61, q::seconds) == "95.6 s");
  CHECK(show(432.6, q::seconds) == "7 min 13 s");
  CHECK(show(120.0, q::seconds) == "2 min");
  CHECK(show(7260.0, q::seconds) == "2 h 1 min");
  CHECK(show(1234567.0, q::count) == "1,234,567");
  CHECK(show(999.0, q::bytes) == "999 B");
  CHECK(show(19456.0, q::bytes) == "19 KiB");
  CHECK(show(8.0 * (1 << 30), q::bytes) == "8 GiB");
  CHECK(show(1.0, q::cores) == "1 core");
  CHECK(show(0.0, q::cores) == "< 0.001 cores");
  CHECK(show(-1234.0, q::per_second) == "-1,234/s");
  CHECK(show(std::optional<double>(), q::count) == "-");
  CHECK(show_tick(60, q::seconds) == "1 min");
  CHECK(round_ticks(432, q::seconds, 9).back() == 480);
  CHECK(round_ticks(3, q::count, 9) == std::vector<double>{0, 1, 2, 3});
  CHECK(decade_ticks(0.002, 0.5) == std::vector<double>{0.001, 0.01, 0.1, 1});
}
