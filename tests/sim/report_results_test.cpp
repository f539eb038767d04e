// The results of a live run: latencies in bounded memory, and the file that keeps them.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/random.hpp"
#include "nodes/common/files.hpp"
#include "sim/report/results_file.hpp"
#include "tests/sim/report_samples.hpp"

using namespace wh;
using namespace wh::sim_report;

namespace {

/// WH_SEED repeats a run.
std::uint64_t seed_of_run() {
  const auto* given = std::getenv("WH_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed %llu (WH_SEED=... repeats it)\n", static_cast<unsigned long long>(seed));
  return seed;
}

/// Microseconds to days, more often short than long.
duration any_latency(rng& r) { return duration(static_cast<std::int64_t>(r.next() >> (24 + r.below(40)))); }

duration exact_percentile(const std::vector<duration>& sorted, double p) {
  const auto rank = std::ceil(p / 100 * static_cast<double>(sorted.size()) - 1e-9);
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

/// The complaint about a document, for paths; "" if it is read.
std::string complaint_about(const document& doc) {
  const auto run = from_document(doc);
  return run ? "" : run.err().message;
}

}  // namespace

TEST_CASE("percentiles of a histogram are within its stated error of the exact ones", "[report]") {
  rng r(seed_of_run());
  for (int round = 0; round < 200; ++round) {
    latency_histogram histogram;
    std::vector<duration> all(1 + r.below(3000));
    for (auto& latency : all) histogram.add(latency = any_latency(r));
    std::sort(all.begin(), all.end());
    for (const double p : {0.0, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
      const auto exact = static_cast<double>(exact_percentile(all, p).count());
      const auto told = static_cast<double>(histogram.percentile(p).count());
      INFO("round " << round << ", " << all.size() << " latencies, p" << p << ": " << exact << " told as " << told);
      CHECK(std::abs(told - exact) <= exact * latency_histogram::relative_error_max);
    }
    CHECK(histogram.count() == all.size());
    CHECK(histogram.min() == all.front());
    CHECK(histogram.max() == all.back());
  }
}

TEST_CASE("a histogram's memory has a bound that its longest latency does not move", "[report]") {
  static_assert(latency_histogram::relative_error_max <= 0.01);
  rng r(1);
  latency_histogram histogram;
  for (int i = 0; i < 500'000; ++i) histogram.add(any_latency(r));
  histogram.add(std::chrono::hours(24 * 365));
  histogram.add(duration(-5));
  CHECK(histogram.buckets().size() <= 2240);
  CHECK(histogram.max() == latency_histogram::latency_max);
  CHECK(histogram.min() == duration::zero());
}

TEST_CASE("merged histograms tell what one histogram of all would", "[report]") {
  rng r(2);
  latency_histogram parts[3], all;
  for (int i = 0; i < 3000; ++i) {
    const auto latency = any_latency(r);
    parts[i % 2].add(latency);
    all.add(latency);
  }
  parts[2].merge(parts[0]);
  parts[2].merge(parts[1]);
  parts[2].merge({});
  CHECK(parts[2].buckets() == all.buckets());
  CHECK(parts[2].percentile(99) == all.percentile(99));
  CHECK(parts[2].min() == all.min());
  CHECK(parts[2].max() == all.max());
}

TEST_CASE("an empty histogram answers zero", "[report]") {
  const latency_histogram none;
  CHECK(none.empty());
  CHECK(none.percentile(99) == duration::zero());
  CHECK(none.mean() == duration::zero());
}

TEST_CASE("results come back from their file as they were", "[report]") {
  const auto seed = seed_of_run();
  auto run = made_up_run(seed);
  run.info.scenario = "<script> \"quoted\" ü \n";
  run.info.seed = ~std::uint64_t{0};
  run.info.transport = link_transport::memory;
  run.info.hub = hub_origin::attached;
  const auto again = parse_results(to_json(run));
  if (!again) FAIL(again.err().message);
  CHECK(again->info == run.info);
  CHECK(again->head == run.head);
  CHECK(again->goals == run.goals);
  CHECK(again->phases == run.phases);
  CHECK(again->samples == run.samples);
  CHECK(*again == run);
}

TEST_CASE("an empty run is a file too, and numbers that are none become null", "[report]") {
  run_results run;
  CHECK(*parse_results(to_json(run)) == run);
  run.head.join_per_s = std::nan("");
  run.phases.push_back({.name = "join", .figures = {{"worst", INFINITY, "s"}}});
  run.problems.push_back("not UTF-8: \xff");
  const auto again = parse_results(to_json(run));
  REQUIRE(again);
  CHECK_FALSE(again->head.join_per_s);
  CHECK_FALSE(again->phases[0].figures[0].value);
}

TEST_CASE("results are found by their folder, and errors name the file", "[report]") {
  const auto folder = std::filesystem::temp_directory_path() / ("wh_report_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto run = made_up_run(3, 100);
  REQUIRE(write_results(folder.string(), run));
  CHECK(*read_results(folder.string()) == run);
  CHECK(*read_results((folder / "results.json").string()) == run);
  CHECK(read_results((folder / "absent").string()).err().code == errc::not_found);
  std::ofstream(folder / "bad.json") << "{\"schema\": 1}";
  const auto bad = read_results((folder / "bad.json").string());
  REQUIRE_FALSE(bad);
  CHECK_THAT(bad.err().message, Catch::Contains("bad.json: schema: must be text"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("damage in a results file is named by its path", "[report]") {
  const auto good = to_document(made_up_run(4, 1000));
  REQUIRE(complaint_about(good).empty());
  struct damage {
    const char* at;
    document value;
    const char* complaint;
  };
  const damage damages[] = {
      {"/schema", "wheelhouse.io/sim-results/v9", "schema: this version reads"},
      {"/run/seed", -1, "run.seed: must be a whole number"},
      {"/run/clusters", "many", "run.clusters: must be"},
      {"/run/transport", "pigeon", "run.transport: must be tcp or memory, not \"pigeon\""},
      {"/run/started_at", "yesterday", "run.started_at: "},
      {"/run/configuration/0/value", 3, "run.configuration[0].value: must be text"},
      {"/headline/lost", "none", "headline.lost: must be a number"},
      {"/goals/lost", document::object(), "goals.lost: must have one of"},
      {"/phases", nullptr, "phases: is missing"},
      {"/phases/1", 7, "phases[1]: must be an object"},
      {"/phases/0/ends_s", 0, "phases[0].ends_s: is before"},
      {"/phases/0/wanted", 1.5, "phases[0].wanted: must be a whole number"},
      {"/phases/2/client/count", 1, "phases[2].client.count: is not the sum"},
      {"/phases/2/client/max_us", 1, "phases[2].client.max_us: "},
      {"/phases/2/client/sum_us", 1, "phases[2].client.sum_us: "},
      {"/phases/2/client/buckets/1/0", 99999, "phases[2].client.buckets[1]: there is no bucket"},
      {"/phases/2/client/buckets/1/0", 0, "phases[2].client.buckets[1]: buckets must be in ascending order"},
      {"/phases/2/client/buckets/1", 5, "phases[2].client.buckets[1]: must be a list"},
      {"/phases/7/figures/0/name", nullptr, "phases[7].figures[0].name: is missing"},
      {"/samples/columns/0", "x", "samples.columns: must begin with at_s"},
      {"/samples/rows/3", document::array({1}), "samples.rows[3]: must have as many"},
      {"/samples/rows/3/0", 0, "samples.rows[3][0]: is before the row above"},
      {"/samples/rows/3/2", "x", "samples.rows[3][2]: must be a number"},
      {"/problems", "none", "problems: must be a list"},
  };
  for (const auto& [at, value, complaint] : damages) {
    auto doc = good;
    doc[document::json_pointer(at)] = value;
    INFO(at);
    CHECK_THAT(complaint_about(doc), Catch::StartsWith(complaint));
  }
}

TEST_CASE("members and columns of a later version are passed over, absent columns are unknown", "[report]") {
  auto run = made_up_run(5, 1000);
  auto doc = to_document(run);
  doc["run"]["phase of the moon"] = "full";
  doc["samples"]["columns"][1] = "hub_temperature";
  for (auto& s : run.samples) s.hub_cpu_fraction = std::nullopt;
  const auto again = from_document(doc);
  REQUIRE(again);
  CHECK(*again == run);
}

TEST_CASE("a results file with bytes changed or cut off never crashes its reader", "[report]") {
  rng r(seed_of_run());
  const auto good = to_json(made_up_run(6, 40));
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    auto text = good;
    if (r.chance(0.2)) text.resize(r.below(text.size()));
    for (auto n = r.below(4); n-- > 0 && !text.empty();)
      text[r.below(text.size())] = "0129-.eE{}[]\",:nullx\0\xff"[r.below(22)];
    const auto run = parse_results(text);
    if (!run) CHECK_FALSE(run.err().message.empty());
    refused += run ? 0 : 1;
  }
  CHECK(refused > 50);
}

TEST_CASE("a results file with any value replaced is read or refused by path", "[report]") {
  rng r(seed_of_run());
  auto small = made_up_run(7, 20);
  small.samples.resize(5);
  const auto flat = to_document(small).flatten();
  const document strange[] = {
      nullptr, true, -1, 1e300, -1e300, 0, ~std::uint64_t{0}, "", "x", document::array(), document::object()};
  for (int round = 0; round < 1500; ++round) {
    auto doc = to_document(small);
    auto at = flat.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(r.below(flat.size())));
    document::json_pointer where(at.key());
    while (r.chance(0.4) && !where.empty()) where.pop_back();
    doc[where] = strange[r.below(std::size(strange))];
    const auto run = from_document(doc);
    if (!run) CHECK_THAT(run.err().message, Catch::Contains(": "));
  }
}
