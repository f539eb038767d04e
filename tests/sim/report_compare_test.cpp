// Two runs side by side.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "sim/report/compare.hpp"
#include "sim/report/results_file.hpp"
#include "tests/sim/report_samples.hpp"

using namespace wh;
using namespace wh::sim_report;

namespace {

compared_row row(std::optional<double> a, std::optional<double> b, direction better = direction::at_most) {
  return {.name = "x", .better = better, .a = a, .b = b};
}

const compared_row* find(const comparison& both, const std::string& name) {
  for (const auto& r : both.rows)
    if (r.name == name) return &r;
  return nullptr;
}

}  // namespace

TEST_CASE("better and worse follow the direction of a figure", "[report]") {
  CHECK(trend_of(row(10, 5)) == trend::better);
  CHECK(trend_of(row(10, 20)) == trend::worse);
  CHECK(trend_of(row(10, 20, direction::at_least)) == trend::better);
  CHECK(trend_of(row(10, 10.4)) == trend::same);
  CHECK(ratio_of(row(10, 20)) == 2.0);
}

TEST_CASE("figures that are absent or zero are compared without a ratio", "[report]") {
  CHECK(trend_of(row({}, 5)) == trend::unknown);
  CHECK(trend_of(row(5, {})) == trend::unknown);
  CHECK_FALSE(ratio_of(row({}, 5)));
  CHECK_FALSE(ratio_of(row(0, 5)));
  CHECK(trend_of(row(0, 5)) == trend::worse);
  CHECK(trend_of(row(0, 0)) == trend::same);
  CHECK(trend_of(row(5, 0)) == trend::better);
  CHECK(ratio_of(row(5, 0)) == 0.0);
}

TEST_CASE("one loss among many is worse, not noise", "[report]") {
  auto a = made_up_run(1, 100), b = a;
  a.head.lost = 100;
  b.head.lost = 101;
  CHECK(trend_of(*find(compare(a, b), "lost")) == trend::worse);
}

TEST_CASE("a comparison has the phases of either run and says what makes them unlike", "[report]") {
  auto a = made_up_run(1, 100), b = made_up_run(1, 200);
  a.phases.resize(3);
  a.phases.push_back(a.phases[0]);
  b.info.configuration.push_back({"extra", "yes"});
  const auto both = compare(a, b);
  CHECK(both.not_alike == std::vector<std::string>{"clusters: 100 | 200", "extra: not set | yes"});
  REQUIRE(find(both, "join.rate"));
  CHECK(find(both, "join.rate")->b);
  REQUIRE(find(both, "join#2.rate"));
  CHECK_FALSE(find(both, "join#2.rate")->b);
  REQUIRE(find(both, "evict.rate"));
  CHECK_FALSE(find(both, "evict.rate")->a);
  CHECK_FALSE(find(both, "storm_to_sync_s"));
  CHECK_FALSE(find(both, "steady.failed"));
}

TEST_CASE("a comparison of empty runs is an empty table", "[report]") {
  CHECK_THAT(render(compare({}, {}), false), Catch::Contains("0 better, 0 worse"));
}

TEST_CASE("the terminal's table marks changes in words, and in colour when asked", "[report]") {
  auto a = made_up_run(1, 100), b = a;
  b.head.join_per_s = 100;
  b.head.fanout_all_s = std::nullopt;
  b.info.scenario = "evil \x1b[31m name";
  const auto plain = render(compare(a, b), false);
  CHECK_THAT(plain, Catch::Contains("1.91x   + better") && Catch::Contains("evil ?[31m name"));
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK_THAT(render(compare(a, b), true), Catch::Contains("\x1b[32m+ better\x1b[0m"));
}

TEST_CASE("runs are compared by folder or file, as text or JSON", "[report]") {
  const auto folder = std::filesystem::temp_directory_path() / ("wh_compare_" + std::to_string(::getpid()));
  const auto a = (folder / "a").string();
  const auto b = (folder / "b").string();
  std::filesystem::create_directories(a);
  std::filesystem::create_directories(b);
  auto run = made_up_run(1, 100);
  REQUIRE(write_results(a, run));
  run.head.join_per_s = 0;
  REQUIRE(write_results(b, run));
  const auto text = compare_text(a, b + "/results.json", false);
  REQUIRE(text);
  CHECK_THAT(*text, Catch::Contains("join_per_s") && Catch::Contains("0.00x   ! worse"));
  const auto json = compare_json(b, a);
  REQUIRE(json);
  const auto& first = json->at("rows").at(0);
  CHECK(first.at("name") == "join_per_s");
  CHECK(first.at("a") == 0);
  CHECK(first.at("b") == 52.4);
  CHECK(first.at("ratio") == nullptr);
  CHECK(first.at("change") == "better");
  CHECK(compare_text(a, a + "/absent", false).err().code == errc::not_found);
  std::filesystem::remove_all(folder);
}
