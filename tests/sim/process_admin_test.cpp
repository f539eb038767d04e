// An administrator at a hub that answers slowly, dies and forgets; and one who lets a real spoke in.
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>

#include "base/encoding.hpp"
#include "sim/process/admin_works.hpp"
#include "sim/process/approver.hpp"
#include "sim/process/child_process.hpp"
#include "sim/process/resource_watch.hpp"
#include "tests/sim/process_fixture.hpp"
#include "tests/transport/fixtures.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

using reply_ptr = std::shared_ptr<http_exchange>;

/// A server that says what the test wants. It holds all exchanges: one that is let go of answers by itself.
struct scripted_server {
  explicit scripted_server(std::function<void(const http_request&, const reply_ptr&)> script) {
    auto handler = [this, script = std::move(script)](const http_request& request, reply_ptr reply) {
      script(request, reply);
      const std::lock_guard lock(mutex);
      held.push_back(std::move(reply));
    };
    auto listening = listen_https(loop, {"127.0.0.1", 0}, ca.server_config(false), {}, std::move(handler),
                                  [](int, const std::string& why) { return why; });
    REQUIRE(listening);
    server = std::move(*listening);
  }
  api_access access() const {
    api_access a;
    a.server = server->local();
    a.tls = ca.client_config();
    return a;
  }

  wh::test::authority ca;
  std::mutex mutex;
  std::vector<reply_ptr> held;
  event_loop loop{2};
  std::unique_ptr<http_server> server;
};

void answer(const reply_ptr& reply, int status, const document& body) {
  reply->send({.status = status, .headers = {}, .body = share(body.dump())});
}

document config_map(const std::string& name, const std::string& version) {
  return {{"metadata", {{"name", name}, {"namespace", "n"}, {"resourceVersion", version}}}};
}

document listing(const std::vector<document>& items, const std::string& version) {
  return {{"metadata", {{"resourceVersion", version}}}, {"items", items}};
}

std::string event_line(const char* type, const document& object) {
  return document{{"type", type}, {"object", object}}.dump() + "\n";
}

/// Notes what a watch tells, as `+name@version`, `~name@version` and `-name`.
struct notebook {
  std::mutex mutex;
  std::vector<std::string> notes;

  void note(watch_change change, const document& object) {
    const std::lock_guard lock(mutex);
    const std::string name(name_of(object));
    const std::string version(string_at(object, {"metadata", "resourceVersion"}));
    if (change == watch_change::deleted) notes.push_back("-" + name);
    else notes.push_back((change == watch_change::added ? "+" : "~") + name + "@" + version);
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex);
    return notes;
  }
  watch_options options(const std::string& path) {
    return {.path = path, .on_event = [this](auto change, const auto& object) { note(change, object); }};
  }
};

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a request that is not answered in time fails, and so does one that waits behind it", "[process]") {
  scripted_server server([](const http_request&, const reply_ptr&) {});
  admin_client admin(server.access(), {.connections_max = 1, .timeout = std::chrono::milliseconds(200)});
  std::promise<error> first, second;
  admin.get("/a", [&](result<document> r) { first.set_value(r.err()); });
  admin.get("/b", [&](result<document> r) { second.set_value(r.err()); });
  CHECK(first.get_future().get().code == errc::timeout);
  CHECK(second.get_future().get().code == errc::timeout);
}

TEST_CASE("requests beyond the bound are refused at once", "[process]") {
  scripted_server server([](const http_request&, const reply_ptr&) {});
  std::atomic<int> busy = 0, ended = 0;
  {
    admin_client admin(server.access(), {.outstanding_max = 3, .timeout = patience});
    for (int i = 0; i < 5; ++i)
      admin.get("/a", [&](const result<document>& r) { ++(r.err().code == errc::busy ? busy : ended); });
    eventually([&] { return busy == 2; });
    CHECK(ended == 0);
  }
  // The others are answered when the client goes.
  CHECK(ended == 3);
}

TEST_CASE("a connection that breaks fails its request and is replaced", "[process]") {
  std::atomic<int> asked = 0;
  scripted_server server([&](const http_request&, const reply_ptr& reply) {
    if (++asked == 1) reply->abort();
    else answer(reply, 200, {{"n", asked.load()}});
  });
  admin_client admin(server.access());
  const auto broken = admin.get("/a");
  REQUIRE_FALSE(broken);
  CHECK(broken.err().code == errc::unavailable);
  CHECK(admin.get("/a").value() == document{{"n", 2}});
}

TEST_CASE("a status that is no success is an error with its message", "[process]") {
  scripted_server server([](const http_request&, const reply_ptr& reply) {
    answer(reply, 409, {{"reason", "AlreadyExists"}, {"message", "it is there"}});
  });
  admin_client admin(server.access());
  CHECK(admin.get("/a").err() == fail(errc::already_exists, "it is there"));
}

TEST_CASE("nobody listening is an error, not a wait", "[process]") {
  api_access access;
  {
    scripted_server server([](const http_request&, const reply_ptr&) {});
    access = server.access();
  }
  admin_client admin(access, {.timeout = patience});
  const auto refused = admin.get("/a");
  REQUIRE_FALSE(refused);
  CHECK(refused.err().code == errc::unavailable);
}

TEST_CASE("a watch that is cut goes on where it was", "[process]") {
  std::mutex mutex;
  strings watches;
  scripted_server server([&](const http_request& request, const reply_ptr& reply) {
    if (request.target.find("watch=1") == std::string::npos)
      return answer(reply, 200, listing({config_map("a", "1"), config_map("b", "2")}, "5"));
    const std::lock_guard lock(mutex);
    const auto at = request.target.find("resourceVersion=") + 16;
    watches.push_back(request.target.substr(at, request.target.find('&', at) - at));
    reply->start(200, {});
    if (watches.size() == 1) {
      const auto line = event_line("MODIFIED", config_map("a", "6"));
      // Lines come in pieces.
      reply->write_chunk(share(line.substr(0, 20)));
      reply->write_chunk(share(line.substr(20) + event_line("BOOKMARK", config_map("", "7"))));
      reply->end();
    } else {
      reply->write_chunk(share(event_line("DELETED", config_map("b", "8"))));
      reply->write_chunk(share(event_line("ADDED", config_map("c", "9"))));
    }
  });
  admin_client admin(server.access());
  notebook book;
  resource_watch watch(admin, book.options("/things"));
  REQUIRE(watch.wait_synced(patience));
  eventually([&] { return watch.figures().events == 5; });
  CHECK(book.all() == strings{"+a@1", "+b@2", "~a@6", "-b", "+c@9"});
  CHECK(watch.figures().resumed == 1);
  CHECK(watch.figures().lists == 1);
  const std::lock_guard lock(mutex);
  CHECK(watches == strings{"5", "7"});
}

TEST_CASE("a hub that has forgotten is listed anew, and what went unseen is reported", "[process]") {
  std::atomic<int> lists = 0, watches = 0;
  const bool as_event = GENERATE(true, false);
  scripted_server server([&](const http_request& request, const reply_ptr& reply) {
    if (request.target.find("watch=1") == std::string::npos) {
      if (++lists == 1) return answer(reply, 200, listing({config_map("a", "1"), config_map("b", "2")}, "5"));
      return answer(reply, 200, listing({config_map("b", "2"), config_map("c", "9")}, "10"));
    }
    if (++watches > 1) return reply->start(200, {});
    const document gone = {{"code", 410}, {"message", "too old"}};
    if (!as_event) return answer(reply, 410, gone);
    reply->start(200, {});
    reply->write_chunk(share(event_line("ERROR", gone)));
    reply->end();
  });
  admin_client admin(server.access());
  notebook book;
  resource_watch watch(admin, book.options("/things"));
  eventually([&] { return watch.figures().lists == 2; });
  CHECK(book.all() == strings{"+a@1", "+b@2", "+c@9", "-a"});
  CHECK(watch.figures().last_problem == "too old");
}

TEST_CASE("a list comes page by page", "[process]") {
  scripted_server server([](const http_request& request, const reply_ptr& reply) {
    const bool second = request.target.find("&continue=more%3D") != std::string::npos;
    auto page = listing({config_map(second ? "b" : "a", "1")}, "5");
    if (!second) page["metadata"]["continue"] = "more=";
    answer(reply, 200, page);
  });
  admin_client admin(server.access());
  const auto all = admin.list("/things");
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK(name_of(all->back()) == "b");
}

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
  cluster_watch members(admin, [&](const cluster_sight& s) {
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
