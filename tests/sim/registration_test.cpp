// Registration under everything that goes wrong: joins over broken links, crashes of either side, renewals under partition,
// administrators who change their minds, deletions in the middle. Thousands of seeds; WH_SEED replays one, WH_TRACE shows it.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "actors/names.hpp"
#include "sim/fleet.hpp"
#include "tests/sim/registration_watchers.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

constexpr const char* clusters_path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
constexpr const char* csrs_path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* merge_patch = "application/merge-patch+json";
constexpr duration certificate_life = std::chrono::hours(2);

document work_doc(const std::string& cluster, const std::string& name) {
  document config = {{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata", {{"name", name}, {"namespace", "default"}}},
                     {"data", {{"cluster", cluster}}}};
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", name}, {"namespace", cluster}}},
          {"spec", {{"workload", {{"manifests", document::array({config})}}}}}};
}

/// What one run did, to show that the seeds reach what they are meant to.
struct tally {
  std::uint64_t certificates = 0, successions = 0, denials = 0, deletions = 0, crashes = 0;
  tally& operator+=(const tally& o) {
    certificates += o.certificates;
    successions += o.successions;
    denials += o.denials;
    deletions += o.deletions;
    crashes += o.crashes;
    return *this;
  }
};

class registration_story {
 public:
  explicit registration_story(std::uint64_t seed)
      : random_(seed ^ 0x72656769), fleet_(options_of(seed)), hub_(fleet_.hub_store()) {
    if (std::getenv("WH_TRACE")) fleet_.world().on_trace([](const std::string& line) { std::puts(line.c_str()); });
    for (int i = 0; i < fleet_.clusters(); ++i) {
      spokes_.push_back(std::make_unique<spoke_registration_watcher>(fleet_.agent_store(i), fleet_.cluster_store(i),
                                                                     fleet::cluster_name(i)));
      states_.push_back({});
    }
  }

  std::string run(int steps) {
    fleet_.start_hub();
    fleet_.make_token(std::chrono::hours(24 * 30));
    fleet_.network().set_faults(bad_network());
    for (int i = 0; i < fleet_.clusters(); ++i) fleet_.start_spoke(i);
    for (int s = 0; s < steps; ++s) {
      act();
      if (auto p = broken_promise(); !p.empty()) return p;
    }
    heal();
    for (int minute = 0; minute < 90; ++minute) {
      settle_everything();
      fleet_.world().advance(std::chrono::minutes(1));
      if (auto p = broken_promise(); !p.empty()) return p;
      if (rest_problem().empty()) break;
    }
    totals.certificates = hub_.certificates;
    totals.successions = hub_.successions;
    return rest_problem();
  }

  tally totals;

 private:
  /// What the administrators want of a cluster, as far as the hub has acknowledged it.
  struct state {
    bool accepted = false;
    int works = 0;
    std::set<std::string> wanted;  ///< works whose creation was acknowledged
  };

  static fleet_options options_of(std::uint64_t seed) {
    fleet_options o;
    o.seed = seed;
    o.clusters = 2;
    o.commit_delay_max = std::chrono::milliseconds(4);
    o.certificate_life = certificate_life;
    if (std::getenv("WH_TRACE"))
      o.log = [](const std::string& node, const address& who, const note& line) {
        std::printf("          %s:%s: %s\n", node.c_str(), to_string(who).c_str(), line.text.c_str());
      };
    return o;
  }
  static network_faults bad_network() { return {.split = 0.1, .clog = 0.002, .cut = 0.01, .refuse = 0.2}; }

  int some_cluster() { return static_cast<int>(random_.below(static_cast<std::uint64_t>(fleet_.clusters()))); }
  state& at(int i) { return states_[static_cast<std::size_t>(i)]; }
  spoke_registration_watcher& spoke(int i) { return *spokes_[static_cast<std::size_t>(i)]; }
  std::string cluster_path(int i) const { return fmt::format("{}/{}", clusters_path, fleet::cluster_name(i)); }
  std::string works_path(int i) const {
    return "/apis/work.open-cluster-management.io/v1/namespaces/" + fleet::cluster_name(i) + "/manifestworks";
  }

  void act() {
    const int i = some_cluster();
    switch (random_.below(16)) {
      case 0:
      case 1: return approve(i);
      case 2:
      case 3: return decide(i, true);
      case 4: return decide(i, false);
      case 5:
      case 6: return create_work(i);
      case 7: return delete_work(i);
      case 8: return fleet_.network().partition(fleet::cluster_name(i), static_cast<lost_way>(1 + random_.below(3)));
      case 9: return fleet_.network().heal_all();
      case 10: return crash_hub();
      case 11: return crash_spoke(i);
      case 12: return fleet_.network().cut(fleet::cluster_name(i));
      case 13: return fleet_.world().advance(std::chrono::minutes(random_.below(40)));
      default: return fleet_.world().advance(std::chrono::milliseconds(random_.below(20'000)));
    }
  }

  /// A person approves what is open for the cluster: the first request, and those that an expired certificate makes.
  void approve(int i) {
    const auto list = fleet_.request(
        "GET", fmt::format("{}?labelSelector={}%3D{}", csrs_path, names::cluster_name_label, fleet::cluster_name(i)));
    if (!list) return;
    const document items = (*list)["items"];
    for (auto csr : items) {
      if (!condition_status(csr, "Approved").empty() || !string_at(csr, {"status", "certificate"}).empty()) continue;
      hub_.approved_by_hand.emplace(name_of(csr));
      set_condition(csr["status"]["conditions"],
                    {.type = "Approved", .status = "True", .reason = "Test", .message = "approved"},
                    fleet_.world().now());
      (void)fleet_.request("PUT", fmt::format("{}/{}/approval", csrs_path, name_of(csr)), csr);
    }
  }

  void decide(int i, bool yes) {
    const auto done = fleet_.request("PATCH", cluster_path(i), {{"spec", {{"hubAcceptsClient", yes}}}}, merge_patch);
    if (!done) return learn(i);
    totals.denials += !yes && at(i).accepted;
    set_accepted(i, yes);
  }
  void set_accepted(int i, bool yes) {
    at(i).accepted = yes;
    if (yes) spoke(i).forbidden.clear();
  }
  /// An answer was lost: what the hub says counts, whenever it can say it.
  void learn(int i) {
    const auto now = fleet_.request("GET", cluster_path(i));
    if (now) set_accepted(i, bool_at(*now, {"spec", "hubAcceptsClient"}, false));
    else spoke(i).forbidden.clear();  // unknown: nothing can be held against the spoke
  }

  void create_work(int i) {
    const auto name = fmt::format("w{}", ++at(i).works);
    // Only while nothing is known to be accepted can arrival be a broken promise.
    learn(i);
    const bool refused = !at(i).accepted;
    if (refused) spoke(i).forbidden.insert(name);
    const auto done = fleet_.request("POST", works_path(i), work_doc(fleet::cluster_name(i), name));
    if (done) at(i).wanted.insert(name);
  }
  void delete_work(int i) {
    if (at(i).wanted.empty()) return;
    const auto name = *at(i).wanted.begin();
    spoke(i).may_vanish.insert(name);
    if (fleet_.request("DELETE", works_path(i) + "/" + name)) {
      at(i).wanted.erase(name);
      ++totals.deletions;
    }
  }

  void crash_hub() {
    ++totals.crashes;
    fleet_.crash_hub();
    fleet_.world().advance(std::chrono::milliseconds(random_.below(60'000)));
    fleet_.start_hub();
  }
  void crash_spoke(int i) {
    ++totals.crashes;
    fleet_.crash_spoke(i);
    fleet_.world().advance(std::chrono::milliseconds(random_.below(60'000)));
    fleet_.start_spoke(i);
  }

  std::string broken_promise() {
    if (!hub_.problem.empty()) return hub_.problem;
    for (int i = 0; i < fleet_.clusters(); ++i) {
      if (!spoke(i).problem.empty()) return spoke(i).problem;
      if (!fleet_.gave_up(i).empty()) return fleet::cluster_name(i) + " gave up: " + fleet_.gave_up(i);
    }
    return {};
  }

  void heal() {
    fleet_.network().set_faults({});
    fleet_.network().heal_all();
    fleet_.start_hub();
    for (int i = 0; i < fleet_.clusters(); ++i) fleet_.start_spoke(i);
  }
  /// Good administrators: everything is approved and accepted.
  void settle_everything() {
    for (int i = 0; i < fleet_.clusters(); ++i) {
      approve(i);
      learn(i);
      if (!at(i).accepted) decide(i, true);
    }
  }

  std::string rest_problem() {
    for (int i = 0; i < fleet_.clusters(); ++i) {
      const auto name = fleet::cluster_name(i);
      const auto cluster = fleet_.request("GET", cluster_path(i));
      if (!cluster) return name + ": " + cluster.err().message;
      for (const char* type : {names::hub_accepted, names::joined, names::available, names::link_connected})
        if (condition_status(*cluster, type) != "True") return fmt::format("{}: {} is not True", name, type);
      if (find_path(*cluster, {"spec", "taints"})) return name + " has taints";
      for (const auto& work : at(i).wanted) {
        const auto doc = fleet_.request("GET", works_path(i) + "/" + work);
        if (!doc || condition_status(*doc, "Applied") != "True")
          return fmt::format("{}: {} is not applied", name, work);
        if (!fleet_.cluster_request(i, "GET", "/api/v1/namespaces/default/configmaps/" + work))
          return fmt::format("{}: the object of {} is not there", name, work);
      }
    }
    return {};
  }

  rng random_;
  fleet fleet_;
  hub_registration_watcher hub_;
  std::vector<std::unique_ptr<spoke_registration_watcher>> spokes_;
  std::vector<state> states_;
};

}  // namespace

TEST_CASE("no seed breaks a promise of registration", "[sim][registration]") {
  const char* one = std::getenv("WH_SEED");
  const char* count = std::getenv("WH_SEEDS");
  const std::uint64_t first = one ? std::stoull(one) : 1;
  const std::uint64_t last = one ? first : (count ? std::stoull(count) : 150);
  tally all;
  int failures = 0;
  for (std::uint64_t seed = first; seed <= last && failures < 5; ++seed) {
    registration_story story(seed);
    const auto problem = story.run(60);
    all += story.totals;
    if (problem.empty()) continue;
    ++failures;
    FAIL_CHECK(problem << "\n  replay: WH_SEED=" << seed << " build/release/tests/registration_test");
  }
  std::printf(
      "registration: %llu seeds, %llu certificates, %llu successions, %llu denials, %llu deletions, %llu crashes\n",
      static_cast<unsigned long long>(last - first + 1), static_cast<unsigned long long>(all.certificates),
      static_cast<unsigned long long>(all.successions), static_cast<unsigned long long>(all.denials),
      static_cast<unsigned long long>(all.deletions), static_cast<unsigned long long>(all.crashes));
  if (!one) CHECK(all.successions > 0);
}
