#include "nodes/ctl/work.hpp"

#include <catch2/catch.hpp>

#include "nodes/ctl/resource_names.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"

using namespace wh;
using namespace wh::ctl;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const std::string yaml =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 2}\n";

/// What the hub does on a write of a work: counts generations when the spec changes.
void count_generations(test::fake_hub& hub, const std::string& path, document& work) {
  const auto before = hub.objects.find(path);
  const bool same = before != hub.objects.end() && before->second.at("spec") == work.at("spec");
  const auto last = before == hub.objects.end() ? 0 : before->second.at("metadata").at("generation").get<int>();
  work["metadata"]["generation"] = same ? last : last + 1;
}

int create(test::ctl_fixture& f, work_options options, const std::string& text = yaml) {
  options.name = "web";
  options.files = {"-"};
  std::istringstream in(text);
  return create_work(f.console, options, in);
}

}  // namespace

TEST_CASE("a work carries the manifests in the order of the file, for every cluster", "[ctl]") {
  test::ctl_fixture f;
  CHECK(create(f, {.clusters = {"c1", "c2"}}) == exit_ok);
  CHECK(f.out.str() == "c1/web: created\nc2/web: created\n");
  const auto& work = f.server.objects.at(works_path("c2", "web"));
  CHECK(work.at("metadata").at("namespace") == "c2");
  const auto& manifests = work.at("spec").at("workload").at("manifests");
  REQUIRE(manifests.size() == 2);
  CHECK(manifests.at(1).at("spec").at("replicas") == 2);
  CHECK_FALSE(work.at("spec").contains("manifestConfigs"));
}

TEST_CASE("a work that exists fails without --update and is changed with it", "[ctl]") {
  test::ctl_fixture f;
  f.server.on_write = count_generations;
  REQUIRE(create(f, {.clusters = {"c1"}}) == exit_ok);
  CHECK(create(f, {.clusters = {"c1", "c2"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("c1/web: the work exists already; change it with --update"));
  CHECK(f.server.objects.contains(works_path("c2", "web")));
  f.out.str("");
  CHECK(create(f, {.clusters = {"c1", "c2"}, .update = true}, yaml + "  paused: true\n") == exit_failure);
  CHECK(create(f, {.clusters = {"c1", "c3"}, .update = true}) == exit_ok);
  CHECK(f.out.str() == "c1/web: unchanged\nc3/web: created\n");
  f.out.str("");
  CHECK(create(f, {.clusters = {"c1"}, .update = true}, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n") ==
        exit_ok);
  CHECK(f.out.str() == "c1/web: updated\n");
  CHECK(f.server.objects.at(works_path("c1", "web")).at("spec").at("workload").at("manifests").size() == 1);
}

TEST_CASE("strategy and delete policy become manifestConfigs and deleteOption", "[ctl]") {
  const auto manifests = parse_manifests(
      yaml +
          "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: geese.x.org}\n"
          "spec: {group: x.org, names: {kind: Goose, plural: geese}}\n---\n"
          "apiVersion: x.org/v1\nkind: Goose\nmetadata: {name: g}\n",
      "f");
  REQUIRE(manifests);
  const auto spec = work_spec(*manifests, {.update_strategy = "CreateOnly", .delete_policy = "Orphan"});
  CHECK(spec.at("deleteOption").at("propagationPolicy") == "Orphan");
  const auto& configs = spec.at("manifestConfigs");
  REQUIRE(configs.size() == 4);
  CHECK(configs.at(1).at("resourceIdentifier") ==
        document({{"group", "apps"}, {"resource", "deployments"}, {"name", "web"}, {"namespace", "shop"}}));
  CHECK(configs.at(1).at("updateStrategy").at("type") == "CreateOnly");
  CHECK(configs.at(3).at("resourceIdentifier").at("resource") == "geese");
}

TEST_CASE("unknown kinds get the plural that Kubernetes' tools would guess", "[ctl]") {
  const auto plural = [](const char* kind) { return resource_of({{"apiVersion", "x.org/v1"}, {"kind", kind}}, {}); };
  CHECK(plural("Policy") == "policies");
  CHECK(plural("Bus") == "buses");
  CHECK(plural("Widget") == "widgets");
}

TEST_CASE("an unknown cluster is named as such", "[ctl]") {
  test::ctl_fixture f;
  f.server.refusals["POST " + works_path("c9")] = {404, "namespaces \"c9\" not found"};
  CHECK(create(f, {.clusters = {"c9"}}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("c9/web: no accepted cluster of this name"));
}

TEST_CASE("malformed input reaches no server", "[ctl]") {
  test::ctl_fixture f;
  CHECK(create(f, {.clusters = {"c1"}}, "kind: [") == exit_failure);
  CHECK_THAT(f.err.str(), Contains("standard input, document 1 (line 1)"));
  CHECK(f.server.calls.empty());
}

TEST_CASE("create --wait follows the work until it is up, or says which manifest failed", "[ctl]") {
  test::ctl_fixture f;
  const auto path = works_path("c1", "web");
  f.on_sleep = [&] {
    auto& status = f.server.objects[path]["status"];
    status["conditions"] = {{{"type", "Applied"}, {"status", "True"}}, {{"type", "Available"}, {"status", "True"}}};
  };
  CHECK(create(f, {.clusters = {"c1"}, .wait = 5s}) == exit_ok);
  CHECK(f.out.str() == "c1/web: created; applied and available\n");
  f.server.objects.clear();
  f.on_sleep = [&] {
    f.server.objects[path]["status"]["resourceStatus"]["manifests"] = {
        {{"resourceMeta", {{"kind", "Deployment"}, {"name", "web"}}},
         {"conditions", {{{"type", "Applied"}, {"status", "False"}, {"message", "no such namespace"}}}}}};
  };
  CHECK(create(f, {.clusters = {"c1"}, .wait = 1s}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("created, but it is not up yet: Deployment web: no such namespace"));
}

TEST_CASE("delete work removes it from the named clusters or from all", "[ctl]") {
  test::ctl_fixture f;
  REQUIRE(create(f, {.clusters = {"c1", "c2", "c3"}}) == exit_ok);
  f.out.str("");
  for (const auto* c : {"c1", "c2", "c3"}) f.server.objects[works_path(c, "web")]["metadata"]["namespace"] = c;
  CHECK(delete_work(f.console, {.name = "web", .clusters = {"c1"}, .all_clusters = false}) == exit_ok);
  CHECK(f.out.str() == "c1/web: deletion has begun\n");
  f.out.str("");
  CHECK(delete_work(f.console, {.name = "web", .clusters = {}, .all_clusters = true, .wait = true}) == exit_ok);
  CHECK(f.out.str() == "c2/web: deleted\nc3/web: deleted\n");
  CHECK(delete_work(f.console, {.name = "web", .clusters = {}, .all_clusters = true}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("no cluster has a work web"));
}
