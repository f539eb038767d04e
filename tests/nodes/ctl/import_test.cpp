#include "nodes/ctl/import.hpp"

#include <catch2/catch.hpp>

#include "tests/nodes/ctl/fake_hub.hpp"

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

namespace {

constexpr const char* cluster_api = "/apis/cluster.open-cluster-management.io/";

/// A source whose lists grow too old once, when they are gone on with.
class forgetful_hub : public test::fake_hub {
 public:
  result<http_response> request(const std::string& method, const std::string& target,
                                const std::map<std::string, std::string>& headers, const std::string& body,
                                duration timeout) override {
    if (to_forget > 0 && target.find("continue=") != std::string::npos) {
      --to_forget;
      return http_response{.status = 410, .headers = {}, .body = share(std::string("{\"message\": \"too old\"}"))};
    }
    return fake_hub::request(method, target, headers, body, timeout);
  }
  int to_forget = 0;
};

void serve_kinds(test::fake_hub& hub, const std::string& without = "") {
  for (const auto& kind : imported_kinds()) {
    if (kind.kind == without) continue;
    auto& discovery = hub.objects["/apis/" + kind.group + "/" + kind.versions.front()];
    discovery["resources"].push_back({{"name", kind.plural}});
  }
}

struct import_fixture : test::ctl_fixture {
  forgetful_hub old;
  hub_client source{old,
                    {.server = {.host = "old", .port = 6443},
                     .path_prefix = {},
                     .tls = {},
                     .token = {},
                     .ns = {},
                     .origin = "old.yaml"},
                    std::chrono::seconds(1)};

  import_fixture() {
    serve_kinds(server);
    serve_kinds(old);
    console.format = output_format::json;
  }
  void put_cluster(const std::string& name, bool accepted = true) {
    old.objects[clusters_path(name)] = {
        {"kind", "ManagedCluster"}, {"metadata", {{"name", name}}}, {"spec", {{"hubAcceptsClient", accepted}}}};
  }
  void put_work(const std::string& cluster, const std::string& name) {
    old.objects[works_path(cluster, name)] = {{"metadata", {{"name", name}, {"namespace", cluster}}},
                                              {"spec", {{"a", 1}}}};
  }
  /// As a hub answers for a namespace that is not there.
  void lack_namespace(const std::string& ns) {
    server.refusals["POST " + works_path(ns)] = {404, "namespaces \"" + ns + "\" not found"};
  }
  document run(import_options options = {}) {
    out.str("");
    code = import_hub(console, source, options);
    const auto report = parse_json(out.str());
    return report ? *report : document();
  }
  static std::string action_of(const document& report, const std::string& kind, const std::string& name) {
    for (const auto& item : report.at("items"))
      if (item.at("kind") == kind && item.at("name") == name) return item.at("action");
    return "";
  }
  int code = -1;
};

}  // namespace

TEST_CASE("a dry run writes nothing anywhere", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1");
  f.put_work("c1", "w");
  f.lack_namespace("c1");
  const auto before = f.server.objects;
  const auto report = f.run();
  CHECK(f.code == exit_ok);
  CHECK(report.at("dryRun") == true);
  CHECK(f.action_of(report, "ManagedCluster", "c1") == "create");
  CHECK(f.action_of(report, "ManifestWork", "w") == "create");
  CHECK_THAT(report.dump(), Contains("not checked: its namespace is not here yet"));
  CHECK(f.server.objects == before);
  CHECK(f.old.count("GET") == f.old.calls.size());
}

TEST_CASE("an import waits for the namespaces that accepted clusters get", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1");
  f.put_work("c1", "w");
  f.lack_namespace("c1");
  int sleeps = 0;
  f.on_sleep = [&] {
    if (++sleeps < 3) return;
    f.server.refusals.clear();
    f.server.objects["/api/v1/namespaces/c1"] = {{"metadata", {{"name", "c1"}}}};
  };
  const auto report = f.run({.apply = true});
  CHECK(f.code == exit_ok);
  CHECK(f.action_of(report, "ManifestWork", "w") == "created");
  CHECK(f.server.objects.contains(works_path("c1", "w")));
}

TEST_CASE("works of a cluster that is not accepted cannot be taken, and nobody waits for them", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1", false);
  f.put_work("c1", "w");
  f.lack_namespace("c1");
  const auto start = f.clock;
  const auto report = f.run({.apply = GENERATE(true, false)});
  CHECK(f.code == exit_failure);
  CHECK_THAT(report.dump(), Contains("whctl accept c1"));
  CHECK(f.clock == start);
}

TEST_CASE("an import that is repeated finds everything the same", "[ctl][import]") {
  import_fixture f;
  for (int i = 0; i < 1234; ++i) f.put_cluster("c" + std::to_string(i));
  f.put_work("c1", "w");
  CHECK(f.run({.apply = true}).at("summary").at("ManagedCluster").at("created") == 1234);
  CHECK(f.code == exit_ok);
  const auto again = f.run({.apply = true});
  CHECK(again.at("summary").at("ManagedCluster").at("same") == 1234);
  CHECK(again.at("summary").at("ManifestWork").at("same") == 1);
}

TEST_CASE("a list that grew too old is begun again, and nothing is done twice", "[ctl][import]") {
  import_fixture f;
  for (int i = 0; i < 1234; ++i) f.put_cluster("c" + std::to_string(i));
  f.old.to_forget = 2;
  CHECK(f.run().at("items").size() == 1234);
  CHECK(f.code == exit_ok);
  f.old.to_forget = 1000;
  f.run();
  CHECK(f.code == exit_failure);
}

TEST_CASE("what the source or this hub does not serve is told and passed over", "[ctl][import]") {
  import_fixture f;
  f.old.objects.clear();
  serve_kinds(f.old, "Placement");
  f.put_cluster("c1");
  auto report = f.run();
  CHECK(f.code == exit_ok);
  CHECK_THAT(report.at("notes").dump(), Contains("the source has no placements.cluster.open-cluster-management.io"));
  f.old.objects.clear();
  f.run();
  CHECK(f.code == exit_failure);
  CHECK_THAT(f.err.str(), Contains("serves none of the kinds"));
  CHECK(parse_json(f.out.str())->at("next").empty());
}

TEST_CASE("sets are read as v1beta1 from a source that has no other", "[ctl][import]") {
  import_fixture f;
  f.old.objects.clear();
  const std::string v1beta1 = cluster_api + std::string("v1beta1");
  f.old.objects[v1beta1] = {{"resources", {{{"name", "managedclustersets"}}}}};
  f.old.objects[v1beta1 + "/managedclustersets/s"] = {
      {"metadata", {{"name", "s"}}}, {"spec", {{"clusterSelector", {{"selectorType", "LegacyClusterSetLabel"}}}}}};
  f.run({.apply = true, .only = {"sets"}});
  CHECK(f.code == exit_ok);
  const auto made = f.server.objects.find(cluster_api + std::string("v1beta2/managedclustersets/s"));
  REQUIRE(made != f.server.objects.end());
  CHECK(made->second.at("spec").at("clusterSelector").at("selectorType") == "ExclusiveClusterSetLabel");
}

TEST_CASE("one object that is refused keeps no other out; a hub that is gone ends it all", "[ctl][import]") {
  import_fixture f;
  for (const auto* name : {"c1", "c2", "c3"}) f.put_cluster(name);
  f.put_work("c2", "w");
  f.server.refusals["POST " + works_path("c2")] = {422, "manifests are larger than the limit"};
  auto report = f.run({.apply = true});
  CHECK(f.code == exit_failure);
  CHECK(report.at("summary").at("ManagedCluster").at("created") == 3);
  CHECK_THAT(report.dump(), Contains("larger than the limit"));
  f.server.refusals["POST " + clusters_path()] = {503, "the store is read-only"};
  report = f.run({.apply = true});
  CHECK(f.code == exit_failure);
  CHECK(report.at("items").size() == 1);
  CHECK_THAT(report.at("failures").dump(), Contains("ended early: the store is read-only"));
}

TEST_CASE("a busy hub is asked again", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1");
  f.server.refusals["POST " + clusters_path()] = {429, "too many requests"};
  int sleeps = 0;
  f.on_sleep = [&] {
    if (++sleeps == 3) f.server.refusals.clear();
  };
  CHECK(f.run({.apply = true}).at("summary").at("ManagedCluster").at("created") == 1);
  CHECK(f.code == exit_ok);
}

TEST_CASE("overwriting gives way to others a few times, not for ever", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1");
  f.run({.apply = true});
  f.old.objects[clusters_path("c1")]["spec"]["leaseDurationSeconds"] = 30;
  CHECK(f.action_of(f.run({.apply = true}), "ManagedCluster", "c1") == "differs");
  f.server.refusals["PUT " + clusters_path("c1")] = {409, "the object has been modified"};
  CHECK(f.action_of(f.run({.apply = true, .overwrite = true}), "ManagedCluster", "c1") == "failed");
  CHECK(f.server.count("PUT") == 6);
  f.server.refusals.clear();
  CHECK(f.action_of(f.run({.apply = true, .overwrite = true}), "ManagedCluster", "c1") == "overwritten");
  CHECK(f.server.objects[clusters_path("c1")].at("spec").at("leaseDurationSeconds") == 30);
}

TEST_CASE("a busy source is asked again", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1");
  f.old.refusals["GET " + clusters_path()] = {429, "too many requests"};
  f.on_sleep = [&] { f.old.refusals.clear(); };
  CHECK(f.run().at("summary").at("ManagedCluster").at("create") == 1);
  CHECK(f.code == exit_ok);
}

TEST_CASE("what may not be read at the source is a failure", "[ctl][import]") {
  import_fixture f;
  f.put_cluster("c1");
  f.old.refusals["GET " + works_path("")] = {403, "manifestworks is forbidden"};
  const auto report = f.run();
  CHECK(f.code == exit_failure);
  CHECK(report.at("items").size() == 1);
  CHECK_THAT(f.err.str(), Contains("ManifestWork: cannot be read at the source: manifestworks is forbidden"));
}

TEST_CASE("works of a replica set are left out only if the set comes along", "[ctl][import]") {
  import_fixture f;
  f.put_work("c1", "web");
  f.put_work("c1", "gone");
  for (const auto* name : {"web", "gone"})
    f.old.objects[works_path("c1", name)]["metadata"]["labels"] = {
        {"work.open-cluster-management.io/manifestworkreplicaset", std::string("apps.") + name}};
  f.old.objects["/apis/work.open-cluster-management.io/v1alpha1/namespaces/apps/manifestworkreplicasets/web"] = {
      {"metadata", {{"name", "web"}, {"namespace", "apps"}}}};
  const auto report = f.run();
  CHECK(f.action_of(report, "ManifestWork", "web") == "leave out");
  CHECK(f.action_of(report, "ManifestWork", "gone") == "create");
  CHECK_THAT(report.at("next").dump(), Contains("--with-owned"));
  CHECK(f.action_of(f.run({.with_owned = true}), "ManifestWork", "web") == "create");
}

TEST_CASE("a hub is not imported into itself", "[ctl][import]") {
  import_fixture f;
  CHECK(import_hub(f.console, f.hub, {}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("leads to this hub itself"));
}

TEST_CASE("people get a table, sums and what to do next", "[ctl][import]") {
  import_fixture f;
  f.console.format = output_format::table;
  f.put_cluster("c1");
  f.run();
  CHECK_THAT(f.out.str(),
             Contains("KIND") && Contains("ManagedCluster: 1 create\n") && Contains("Add --apply to do it"));
  f.run({.apply = true});
  CHECK_THAT(f.out.str(), Contains("ManagedCluster: 1 created\n") && Contains("docs/migrate.md"));
}
