// An administrator at a real hub that dies and comes back, and who lets a real spoke in.
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "base/encoding.hpp"
#include "sim/process/admin_works.hpp"
#include "sim/process/approver.hpp"
#include "sim/process/child_process.hpp"
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

// WH_APPROVALS=n; prints what an approval costs us.
TEST_CASE("measure: approving many", "[.measure]") {
  const char* asked = std::getenv("WH_APPROVALS");
  const int count = asked ? std::atoi(asked) : 1000;
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access(), {.connections_max = 16});
  const auto key = generate_key();
  REQUIRE(key);
  const auto request = make_csr(*key, {.common_name = "agent", .organizations = {"clusters"}});
  REQUIRE(request);
  std::atomic<int> made = 0, refused = 0;
  const auto counted = [&](const result<document>& r) { ++(r ? made : refused); };
  for (int i = 0; i < count; ++i) {
    const auto name = "sim-" + std::to_string(i);
    admin.create(ctl::clusters_path(),
                 {{"apiVersion", "cluster.open-cluster-management.io/v1"},
                  {"kind", "ManagedCluster"},
                  {"metadata", {{"name", name}}}},
                 counted);
    admin.create(ctl::csr_path(),
                 {{"apiVersion", "certificates.k8s.io/v1"},
                  {"kind", "CertificateSigningRequest"},
                  {"metadata", {{"name", name}, {"labels", {{"open-cluster-management.io/cluster-name", name}}}}},
                  {"spec",
                   {{"request", to_base64(*request)},
                    {"signerName", "kubernetes.io/kube-apiserver-client"},
                    {"usages", {"client auth"}}}}},
                 counted);
  }
  eventually([&] { return made + refused == 2 * count; });
  REQUIRE(refused == 0);
  const auto cpu_s = [] {
    rusage use{};
    ::getrusage(RUSAGE_SELF, &use);
    return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
  };
  const auto cpu_before = cpu_s();
  const auto began = std::chrono::steady_clock::now();
  approver yes(admin, {.prefix = "sim-", .requester_prefix = ""});
  eventually([&] { return yes.figures().approved + yes.figures().accepted == 2U * static_cast<unsigned>(count); });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%d approved and accepted in %.2f s; %.3f ms of our processor time each\n", count, took.count(),
              (cpu_s() - cpu_before) * 1000 / count);
}
