// A fleet in virtual time under faults: what a user was told is true stays true, and all converges when the faults end.
#include "sim/fleet.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "actors/names.hpp"

using namespace wh;

namespace {

constexpr const char* works_path = "/apis/work.open-cluster-management.io/v1/namespaces/";

document work_of(const std::string& cluster, const std::string& name, int version, int objects) {
  document manifests = document::array();
  for (int i = 0; i < objects; ++i)
    manifests.push_back({{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", {{"name", fmt::format("{}-{}", name, i)}, {"namespace", "default"}}},
                         {"data", {{"cluster", cluster}, {"version", std::to_string(version)}}}});
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", name}, {"namespace", cluster}}},
          {"spec", {{"workload", {{"manifests", manifests}}}}}};
}

/// Watches a managed cluster's store for what must never happen there.
class cluster_watcher final : public feed_listener {
 public:
  cluster_watcher(store& s, std::string cluster) : store_(s), cluster_(std::move(cluster)) { store_.subscribe(this); }
  ~cluster_watcher() override { store_.unsubscribe(this); }
  void on_committed(const std::vector<change>& changes) override {
    for (const auto& c : changes) {
      if (c.key.resource != "configmaps" || c.key.ns != "default") continue;
      if (!c.body && !may_vanish.contains(c.key.name))
        problem = cluster_ + " lost " + c.key.name + " and nobody asked for it";
      if (!c.body) continue;
      const auto doc = decode_body(*c.body);
      if (doc && string_at(*doc, {"data", "cluster"}) != cluster_)
        problem = cluster_ + " got an object of another cluster";
    }
  }
  std::set<std::string> may_vanish;
  std::string problem;

 private:
  store& store_;
  std::string cluster_;
};

/// One random life of a fleet: users, faults, and what they were told.
class story {
 public:
  explicit story(std::uint64_t seed)
      : random_(seed),
        fleet_({.seed = seed, .clusters = 3, .faults = {}, .commit_delay_max = std::chrono::milliseconds(2)}) {
    // WH_TRACE=1 shows every delivery, to read what led to a broken promise.
    if (std::getenv("WH_TRACE")) fleet_.world().on_trace([](const std::string& line) { std::puts(line.c_str()); });
    for (int i = 0; i < fleet_.clusters(); ++i)
      watchers_.push_back(std::make_unique<cluster_watcher>(fleet_.cluster_store(i), fleet::cluster_name(i)));
  }

  std::string run(int steps) {
    fleet_.start_hub();
    fleet_.make_token(std::chrono::hours(1));
    for (int i = 0; i < fleet_.clusters(); ++i) fleet_.start_spoke(i);
    for (int i = 0; i < fleet_.clusters(); ++i)
      if (!fleet_.accept(i)) return fleet::cluster_name(i) + " did not join: " + fleet_.gave_up(i);
    fleet_.network().set_faults({.split = 0.1, .clog = 0.002, .cut = 0.002, .refuse = 0.1});
    for (int s = 0; s < steps; ++s) {
      act();
      if (auto p = broken_promise(); !p.empty()) return p;
    }
    return heal_and_check();
  }

 private:
  int some_cluster() { return static_cast<int>(random_.below(static_cast<std::uint64_t>(fleet_.clusters()))); }
  std::string work_path(int i, const std::string& name = "") {
    return works_path + fleet::cluster_name(i) + "/manifestworks" + (name.empty() ? "" : "/" + name);
  }

  void act() {
    const int i = some_cluster();
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2: return write_work(i);
      case 3: return delete_work(i);
      case 4: return damage(i);
      case 5: return fleet_.network().partition(fleet::cluster_name(i), static_cast<lost_way>(1 + random_.below(3)));
      case 6: return fleet_.network().heal_all();
      case 7: return crash_hub();
      case 8: return restart_spoke(i);
      case 9: return fleet_.network().cut(fleet::cluster_name(i));
      default: return fleet_.world().advance(std::chrono::milliseconds(random_.below(20'000)));
    }
  }

  void allow(int i, const std::string& work) {
    for (int n = 0; n < 4; ++n)
      watchers_[static_cast<std::size_t>(i)]->may_vanish.insert(fmt::format("{}-{}", work, n));
  }

  /// Creates or updates; fewer objects than before removes some from the list.
  void write_work(int i) {
    const std::string name = fmt::format("w{}", random_.below(3));
    const int version = ++versions_, objects = static_cast<int>(1 + random_.below(3));
    const auto doc = work_of(fleet::cluster_name(i), name, version, objects);
    allow(i, name);  // an update may drop manifests from the list
    auto& told = told_[{i, name}];
    auto existing = fleet_.request("GET", work_path(i, name));
    result<document> done = fail(errc::unavailable, "");
    if (existing) {
      if (is_deleting(*existing)) return;
      document changed = *existing;
      changed["spec"] = doc["spec"];
      done = fleet_.request("PUT", work_path(i, name), changed);
    } else if (existing.err().code == errc::not_found) {
      done = fleet_.request("POST", work_path(i), doc);
    }
    if (done) told = {version, false};
    else if (done.err().code == errc::timeout) told.second = true;
  }

  void delete_work(int i) {
    const std::string name = fmt::format("w{}", random_.below(3));
    allow(i, name);
    auto done = fleet_.request("DELETE", work_path(i, name));
    if (done || done.err().code == errc::timeout) told_.erase({i, name});
  }

  /// Somebody changes or deletes an object in the cluster.
  void damage(int i) {
    if (!fleet_.spoke_up(i)) return;
    const std::string name = fmt::format("w{}-0", random_.below(3));
    const std::string path = "/api/v1/namespaces/default/configmaps/" + name;
    if (random_.chance(0.5)) {
      (void)fleet_.cluster_request(i, "PATCH", path, {{"data", {{"version", "damaged"}}}},
                                   "application/merge-patch+json");
      return;
    }
    auto& allowed = watchers_[static_cast<std::size_t>(i)]->may_vanish;
    allowed.insert(name);
    (void)fleet_.cluster_request(i, "DELETE", path);
  }

  /// With a write under way, at a random moment of its life.
  void crash_hub() {
    const int i = some_cluster();
    const std::string name = fmt::format("blind{}", ++versions_);
    fleet_.request_blindly("POST", work_path(i), work_of(fleet::cluster_name(i), name, versions_, 1));
    const auto moments = random_.below(40);
    for (std::uint64_t m = 0; m < moments; ++m)
      if (!fleet_.world().step()) fleet_.world().skip();
    fleet_.crash_hub();
    fleet_.world().advance(std::chrono::milliseconds(random_.below(10'000)));
    fleet_.start_hub();
  }

  void restart_spoke(int i) {
    const auto moments = random_.below(40);
    for (std::uint64_t m = 0; m < moments; ++m)
      if (!fleet_.world().step()) fleet_.world().skip();
    fleet_.crash_spoke(i);
    fleet_.world().advance(std::chrono::milliseconds(random_.below(5'000)));
    fleet_.start_spoke(i);
  }

  std::string broken_promise() {
    for (const auto& w : watchers_)
      if (!w->problem.empty()) return w->problem;
    for (const auto& [where, told] : told_) {
      if (told.second || told.first == 0) continue;
      auto stored = fleet_.hub_store().get({names::manifest_works, fleet::cluster_name(where.first), where.second});
      if (!stored || !*stored)
        return fmt::format("acknowledged work {}/{} is gone", fleet::cluster_name(where.first), where.second);
      const auto doc = decode_record(**stored);
      const auto& manifests = (*doc)["spec"]["workload"]["manifests"];
      if (string_at(manifests[0], {"data", "version"}) != std::to_string(told.first))
        return fmt::format("acknowledged version {} of {}/{} is not stored", told.first,
                           fleet::cluster_name(where.first), where.second);
    }
    return {};
  }

  std::string heal_and_check() {
    fleet_.network().heal_all();
    fleet_.network().set_faults({});
    fleet_.start_hub();
    for (int i = 0; i < fleet_.clusters(); ++i) fleet_.start_spoke(i);
    std::string problem = "never looked";
    for (int second = 0; second < 180 && !problem.empty(); second += 3) {
      fleet_.world().advance(std::chrono::seconds(3));
      problem = convergence_problem(fleet_);
    }
    if (!problem.empty()) return "three minutes after all faults: " + problem;
    return broken_promise();
  }

  rng random_;
  fleet fleet_;
  std::vector<std::unique_ptr<cluster_watcher>> watchers_;
  std::map<std::pair<int, std::string>, std::pair<int, bool>> told_;  ///< version acknowledged last; unsure
  int versions_ = 0;
};

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

}  // namespace

TEST_CASE("a fleet under faults keeps its promises and converges when they end", "[fleet]") {
  const auto first = number_from("WH_SEED", 1), count = number_from("WH_SEEDS", 100);
  for (auto seed = first; seed < first + count; ++seed) {
    const auto problem = story(seed).run(60);
    INFO("replay: WH_SEED=" << seed << " WH_SEEDS=1 build/release/tests/fleet_test");
    CHECK(problem == "");
  }
}

TEST_CASE("the same seed gives the same run", "[fleet]") {
  const auto hash = [] {
    fleet f({.seed = 42, .clusters = 2, .faults = {}, .commit_delay_max = std::chrono::milliseconds(2)});
    f.start_hub();
    f.make_token(std::chrono::hours(1));
    f.start_spoke(0);
    f.start_spoke(1);
    REQUIRE(f.accept(0));
    REQUIRE(f.request("POST", works_path + std::string("c0/manifestworks"), work_of("c0", "w", 1, 2)).ok());
    f.world().advance(std::chrono::minutes(2));
    return f.world().trace_hash();
  };
  CHECK(hash() == hash());
}

TEST_CASE("with the hub gone the spoke repairs its cluster, also after its own restart", "[fleet]") {
  fleet f({.seed = 7, .clusters = 1, .faults = {}, .commit_delay_max = {}});
  f.start_hub();
  f.make_token(std::chrono::hours(1));
  f.start_spoke(0);
  REQUIRE(f.accept(0));
  f.world().advance(std::chrono::seconds(5));
  REQUIRE(f.request("POST", works_path + std::string("c0/manifestworks"), work_of("c0", "w", 1, 1)).ok());
  f.world().advance(std::chrono::seconds(1));
  const std::string path = "/api/v1/namespaces/default/configmaps/w-0";
  REQUIRE(f.cluster_request(0, "GET", path).ok());
  f.crash_hub();
  for (const bool restart : {false, true}) {
    if (restart) {
      f.crash_spoke(0);
      f.start_spoke(0);
    }
    REQUIRE(f.cluster_request(0, "DELETE", path).ok());
    f.world().advance(std::chrono::seconds(1));
    CHECK(f.cluster_request(0, "GET", path).ok());
    REQUIRE(f.cluster_request(0, "PATCH", path, {{"data", {{"version", "x"}}}}, "application/merge-patch+json").ok());
    f.world().advance(std::chrono::seconds(1));
    CHECK(string_at(f.cluster_request(0, "GET", path).value(), {"data", "version"}) == "1");
  }
  f.world().advance(std::chrono::hours(30));
  CHECK(f.cluster_request(0, "GET", path).ok());
}

TEST_CASE("an object whose definition comes with the same work is watched like any other", "[fleet]") {
  fleet f({.seed = 11, .clusters = 1, .faults = {}, .commit_delay_max = {}});
  f.start_hub();
  f.make_token(std::chrono::hours(1));
  f.start_spoke(0);
  REQUIRE(f.accept(0));
  const document widget_schema = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  const document definition = {
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata", {{"name", "widgets.example.org"}}},
      {"spec",
       {{"group", "example.org"},
        {"scope", "Namespaced"},
        {"names", {{"plural", "widgets"}, {"singular", "widget"}, {"kind", "Widget"}, {"listKind", "WidgetList"}}},
        {"versions",
         {{{"name", "v1"}, {"served", true}, {"storage", true}, {"schema", {{"openAPIV3Schema", widget_schema}}}}}}}}};
  const document widget = {{"apiVersion", "example.org/v1"},
                           {"kind", "Widget"},
                           {"metadata", {{"name", "a"}, {"namespace", "default"}}},
                           {"spec", {{"size", 1}}}};
  auto work = work_of("c0", "w", 1, 0);
  work["spec"]["workload"]["manifests"] = {widget, definition};
  REQUIRE(f.request("POST", works_path + std::string("c0/manifestworks"), work).ok());
  f.world().advance(std::chrono::seconds(5));
  const std::string path = "/apis/example.org/v1/namespaces/default/widgets/a";
  REQUIRE(f.cluster_request(0, "GET", path).ok());
  REQUIRE(f.cluster_request(0, "DELETE", path).ok());
  f.world().advance(std::chrono::seconds(1));
  CHECK(f.cluster_request(0, "GET", path).ok());
}

TEST_CASE("before acceptance a spoke gets nothing and the hub keeps only its request", "[fleet]") {
  fleet f({.seed = 9, .clusters = 1, .faults = {}, .commit_delay_max = {}});
  f.start_hub();
  f.make_token(std::chrono::hours(1));
  f.start_spoke(0);
  f.world().advance(std::chrono::minutes(10));
  const auto cluster = f.request("GET", "/apis/cluster.open-cluster-management.io/v1/managedclusters/c0").value();
  CHECK_FALSE(bool_at(cluster, {"spec", "hubAcceptsClient"}, true));
  CHECK(f.request("GET", "/api/v1/namespaces/c0").err().code == errc::not_found);
  REQUIRE(f.accept(0));
  f.world().advance(std::chrono::minutes(1));
  const auto joined = f.request("GET", "/apis/cluster.open-cluster-management.io/v1/managedclusters/c0").value();
  CHECK(condition_status(joined, names::joined) == "True");
  CHECK(condition_status(joined, names::available) == "True");
}
