// An administrator at a real hub that dies and comes back, and who lets a real spoke in.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "base/encoding.hpp"
#include "sim/process/admin_works.hpp"
#include "sim/process/approver.hpp"
#include "sim/process/child_process.hpp"
#include "sim/process/process_sampler.hpp"
#include "tests/sim/process_fixture.hpp"
#include "transport/pki.hpp"

using namespace wh;
using namespace wh::testing;

TEST_CASE("requests of several threads reach a real hub together, and its metrics count them", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access());
  constexpr int threads = 4, each = 150;
  std::atomic<int> failures = 0;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const document map = {{"apiVersion", "v1"},
                              {"kind", "ConfigMap"},
                              {"metadata", {{"name", "m-" + std::to_string(t) + "-" + std::to_string(i)}}}};
        if (!admin.create("/api/v1/namespaces/default/configmaps", map)) ++failures;
      }
    });
  for (auto& t : all) t.join();
  CHECK(failures == 0);
  const auto maps = admin.list("/api/v1/namespaces/default/configmaps");
  REQUIRE(maps);
  CHECK(maps->size() >= threads * each);
  const auto m = admin.scrape();
  REQUIRE(m);
  CHECK(m->sum("wheelhouse_api_requests_total", {{"resource", "configmaps"}, {"code", "201"}}) == threads * each);
}

TEST_CASE("a watch lives through its hub's death", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access());
  notebook book;
  const std::string path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
  resource_watch watch(admin, book.options(path));
  REQUIRE(watch.wait_synced(patience));
  const document cluster = {{"apiVersion", "cluster.open-cluster-management.io/v1"},
                            {"kind", "ManagedCluster"},
                            {"metadata", {{"name", "one"}}}};
  REQUIRE(admin.create(path, cluster));
  eventually([&] { return !book.all().empty(); });
  REQUIRE((*hub)->kill9());
  REQUIRE((*hub)->restart());
  REQUIRE(admin.merge_patch(path + "/one", {{"metadata", {{"labels", {{"a", "b"}}}}}}));
  eventually([&] { return book.all().back().starts_with("~one"); });
  CHECK(watch.figures().lists == 1);
  CHECK(watch.figures().resumed > 0);
}

TEST_CASE("a spoke is let in, given work, and seen to do it", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access());
  const auto token = make_bootstrap_token(admin, 1);
  REQUIRE(token);
  approver yes(admin, {.prefix = "sim-"});
  REQUIRE(yes.wait_watching(patience));
  std::mutex mutex;
  std::map<std::string, work_sight> works;
  std::map<std::string, cluster_sight> clusters;
  work_watch seen(admin, [&](const work_sight& s) {
    const std::lock_guard lock(mutex);
    works[s.cluster + "/" + s.name] = s;
  });
  fleet_watch members(admin, [&](const cluster_sight& s) {
    const std::lock_guard lock(mutex);
    clusters[s.name] = s;
  });
  const auto work = [&] {
    const std::lock_guard lock(mutex);
    return works["sim-1/w"];
  };

  auto spoke = child_process::start(
      {.program = WH_PROGRAM_DIR "/wheelhouse-spoke",
       .arguments = {"--data-dir", folder.path + "/spoke", "--cluster-name", "sim-1", "--hub", (*hub)->facts().link,
                     "--token", token->text(), "--ca-pin", (*hub)->facts().ca_pin},
       .log_file = folder.path + "/spoke.log"});
  REQUIRE(spoke);
  eventually([&] {
    const std::lock_guard lock(mutex);
    return clusters["sim-1"].joined && clusters["sim-1"].available == condition_state::true_;
  });
  eventually([&] { return yes.figures().waiting == 0; });
  CHECK(yes.figures().approved == 1);
  CHECK(yes.figures().accepted == 1);
  CHECK(yes.figures().failures == 0);

  const auto created = create_work(admin, "sim-1", "w", 1000);
  REQUIRE(created);
  eventually([&] { return work().up(*created); });
  const auto updated = update_work(admin, "sim-1", "w", 2000, 2);
  REQUIRE(updated);
  CHECK(*updated > *created);
  eventually([&] { return work().up(*updated); });
  CHECK(admin.get(ctl::works_path("sim-1", "w"))
            .value()["spec"]["workload"]["manifests"][0]["data"]["payload"]
            .get<std::string>()
            .size() == 2000);
  REQUIRE(delete_work(admin, "sim-1", "w"));
  eventually([&] { return work().deleted; });
  CHECK(delete_work(admin, "sim-1", "w").err().code == errc::not_found);
}

namespace {

/// Clusters that nobody has accepted yet, and a certificate request of each, as if spokes had asked to join.
struct applicants {
  std::atomic<int> stored = 0, refused = 0;

  void store(admin_client& admin, int count) {
    const auto key = generate_key();
    REQUIRE(key);
    const auto request = make_csr(*key, {.common_name = "agent", .organizations = {"clusters"}});
    REQUIRE(request);
    const auto counted = [this](const result<document>& r) { ++(r ? stored : refused); };
    for (int i = 0; i < count; ++i) {
      const auto name = "sim-" + std::to_string(i);
      admin.create(ctl::clusters_path(), cluster(name), counted);
      admin.create(ctl::csr_path(), certificate_request(name, *request), counted);
    }
    eventually([&] { return stored + refused == 2 * count; });
    REQUIRE(refused == 0);
  }

  static document cluster(const std::string& name) {
    return {{"apiVersion", "cluster.open-cluster-management.io/v1"},
            {"kind", "ManagedCluster"},
            {"metadata", {{"name", name}}}};
  }
  static document certificate_request(const std::string& name, const std::string& pem) {
    return {{"apiVersion", "certificates.k8s.io/v1"},
            {"kind", "CertificateSigningRequest"},
            {"metadata", {{"name", name}, {"labels", {{"open-cluster-management.io/cluster-name", name}}}}},
            {"spec",
             {{"request", to_base64(pem)},
              {"signerName", "kubernetes.io/kube-apiserver-client"},
              {"usages", {"client auth"}}}}};
  }
};

double own_cpu_ms() {
  const auto s = sample_self();
  REQUIRE(s);
  return s->cpu_s() * 1000;
}

}  // namespace

TEST_CASE("an approver goes on when its hub is back", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access());
  constexpr unsigned count = 100;
  applicants().store(admin, count);
  approver yes(admin, {.prefix = "sim-", .requester_prefix = ""});
  eventually([&] { return yes.figures().accepted + yes.figures().approved > 0; });
  REQUIRE((*hub)->kill9());
  REQUIRE((*hub)->restart());
  eventually([&] { return yes.figures().accepted == count && yes.figures().approved == count; });
  CHECK(yes.figures().failures == 0);
  const auto clusters = admin.list(ctl::clusters_path());
  REQUIRE(clusters);
  CHECK(
      std::all_of(clusters->begin(), clusters->end(), [](const document& c) { return sight_of_cluster(c).accepted; }));
}

TEST_CASE("every request under way when a hub dies is answered", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access());
  constexpr int count = 500;
  std::atomic<int> good = 0, bad = 0;
  for (int i = 0; i < count; ++i)
    admin.create(ctl::clusters_path(), applicants::cluster("c" + std::to_string(i)),
                 [&](const result<document>& r) { ++(r ? good : bad); });
  eventually([&] { return good > 0; });
  REQUIRE((*hub)->kill9());
  eventually([&] { return good + bad == count; });
  CHECK(bad > 0);
  // What was acknowledged is there.
  REQUIRE((*hub)->restart());
  CHECK(admin.list(ctl::clusters_path()).value().size() >= static_cast<std::size_t>(good.load()));
}

// WH_CLUSTERS=n; prints what an administrator's work costs us.
TEST_CASE("measure: many approvals and works", "[.measure]") {
  const char* asked = std::getenv("WH_CLUSTERS");
  const int count = asked ? std::atoi(asked) : 1000;
  const auto all = static_cast<std::uint64_t>(count);
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access(), {.connections_max = 16});
  applicants().store(admin, count);
  const auto measure = [&](const char* what, const std::function<void()>& run) {
    const auto cpu = own_cpu_ms();
    const auto began = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%d %s in %.2f s; %.3f ms of our processor time each\n", count, what, took.count(),
                (own_cpu_ms() - cpu) / count);
  };
  approver yes(admin, {.prefix = "sim-", .requester_prefix = ""});
  measure("approved and accepted",
          [&] { eventually([&] { return yes.figures().approved == all && yes.figures().accepted == all; }); });
  std::atomic<std::uint64_t> seen = 0, stored = 0;
  work_watch works(admin, [&](const work_sight&) { ++seen; });
  REQUIRE(works.wait_synced(patience));
  measure("works of 1 KiB created and seen", [&] {
    for (int i = 0; i < count; ++i)
      create_work(admin, "sim-" + std::to_string(i), "w", 1024, [&](const auto& r) { stored += r ? 1 : 0; });
    eventually([&] { return stored == all && seen >= all; });
  });
}
