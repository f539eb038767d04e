// deny, detach, revoke certificate
#include <catch2/catch.hpp>

#include "actors/names.hpp"
#include "nodes/ctl/deny.hpp"
#include "nodes/ctl/detach.hpp"
#include "nodes/ctl/revoke.hpp"
#include "tests/nodes/ctl/fake_hub.hpp"

using namespace wh;
using namespace wh::ctl;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

document cluster_of(const std::string& name, bool accepted = true) {
  return {{"metadata", {{"name", name}, {"uid", "uid-of-" + name}, {"resourceVersion", "7"}}},
          {"spec", {{"hubAcceptsClient", accepted}}}};
}

void put_work(test::ctl_fixture& f, const std::string& cluster, const std::string& name) {
  f.server.objects[works_path(cluster, name)] = {{"metadata", {{"name", name}, {"namespace", cluster}}}};
}

/// As a hub keeps an object that has finalizers: DELETE only marks it.
void keep_deleted(test::ctl_fixture& f, const std::string& cluster, const std::string& left) {
  auto& doc = f.server.objects[clusters_path(cluster)];
  f.server.kept.insert(clusters_path(cluster));
  doc["status"]["conditions"] = document::array(
      {{{"type", "Deleting"}, {"status", "False"}, {"reason", "ResourceRemaining"}, {"message", left}}});
}

}  // namespace

TEST_CASE("deny refuses a cluster and tells what is left on it; again, it changes nothing", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  for (const auto* name : {"a", "b", "c", "d", "e", "f", "g"}) put_work(f, "c1", name);
  put_work(f, "c10", "other");
  CHECK(deny_clusters(f.console, {"c1"}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("c1: refused; 7 works are left (a, b, c, d, e and 2 more)") &&
                              Contains("whctl delete work NAME --clusters c1"));
  CHECK(f.server.objects[clusters_path("c1")].at("spec").at("hubAcceptsClient") == false);
  f.out.str("");
  CHECK(deny_clusters(f.console, {"c1"}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("c1: was not accepted; 7 works"));
  CHECK(f.server.count("PATCH") == 1);
  CHECK(deny_clusters(f.console, {"c9"}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("c9: there is no such cluster"));
}

TEST_CASE("a cluster without works is refused in one sentence", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  CHECK(deny_clusters(f.console, {"c1"}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("c1: refused; it holds no works"));
}

TEST_CASE("a revoked certificate's key is written down, once", "[ctl]") {
  test::ctl_fixture f;
  auto cluster = cluster_of("c1");
  cluster["metadata"]["annotations"] = {{names::key_annotation, "d1"},
                                        {"registration.wheelhouse.io/revoked-keys", "d0"}};
  f.server.objects[clusters_path("c1")] = cluster;
  CHECK(revoke_certificates(f.console, {"c1"}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("c1: certificate revoked") && Contains("must join again with a new token"));
  const auto& annotations = f.server.objects[clusters_path("c1")].at("metadata").at("annotations");
  CHECK(annotations.at(names::key_annotation) == "revoked:d1");
  CHECK(annotations.at("registration.wheelhouse.io/revoked-keys") == "d0,d1");
  // A key that came after the read is not the one to revoke: the version that was read is part of the write.
  CHECK(f.server.calls.back().body.at("metadata").at("resourceVersion") == "7");
  f.out.str("");
  CHECK(revoke_certificates(f.console, {"c1"}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("revoked already"));
  CHECK(f.server.count("PATCH") == 1);
}

TEST_CASE("without a recorded key there is nothing to revoke, and deny is the way", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  CHECK(revoke_certificates(f.console, {"c1", "c9"}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("whctl deny c1") && Contains("c9: there is no such cluster"));
}

TEST_CASE("detach follows what remains until the cluster is gone", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  keep_deleted(f, "c1", "2 ManifestWorks remain: a, b");
  int sleeps = 0;
  f.on_sleep = [&] {
    ++sleeps;
    if (sleeps == 2) keep_deleted(f, "c1", "1 ManifestWork remains: b");
    if (sleeps == 4) f.server.objects.erase(clusters_path("c1"));
  };
  CHECK(detach_clusters(f.console, {.names = {"c1", "c1"}}) == exit_ok);
  CHECK(f.out.str() == "c1: detached\n");
  CHECK(f.err.str() == "c1: 2 ManifestWorks remain: a, b\nc1: 1 ManifestWork remains: b\n");
  CHECK(f.server.count("DELETE") == 1);
  CHECK(f.server.count("PATCH") == 0);
}

TEST_CASE("a cluster that does not answer is told of, with the way out", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  keep_deleted(f, "c1", "1 ManifestWork remains: b");
  CHECK(detach_clusters(f.console, {.names = {"c1"}, .wait = 5s}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("not gone yet: 1 ManifestWork remains: b.") && Contains("whctl detach --force c1"));
  CHECK(detach_clusters(f.console, {.names = {"c1"}, .wait = 0s}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("c1: is being detached"));
}

TEST_CASE("a cluster that joined again under the name is not the one that is waited for", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  keep_deleted(f, "c1", "1 ManifestWork remains: b");
  f.on_sleep = [&] { f.server.objects[clusters_path("c1")]["metadata"]["uid"] = "another"; };
  CHECK(detach_clusters(f.console, {.names = {"c1"}}) == exit_ok);
}

TEST_CASE("by force it asks first, and does nothing without a yes", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  CHECK(detach_clusters(f.console, {.names = {"c1"}, .force = true}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("needs --yes where there is no terminal"));
  std::string answer = "no";
  f.console.ask = [&](const std::string&) { return answer; };
  CHECK(detach_clusters(f.console, {.names = {"c1"}, .force = true}) == exit_failure);
  CHECK_THAT(f.err.str(), Contains("stays there") && Contains("nothing was done"));
  CHECK(f.server.calls.empty());
  answer = "yes";
  CHECK(detach_clusters(f.console, {.names = {"c1"}, .force = true}) == exit_ok);
  CHECK_THAT(f.out.str(), Contains("c1: detached; what its works put on it is still there"));
}

TEST_CASE("by force the hub is told before the cluster is deleted", "[ctl]") {
  test::ctl_fixture f;
  f.server.objects[clusters_path("c1")] = cluster_of("c1");
  CHECK(detach_clusters(f.console, {.names = {"c1", "c9"}, .force = true, .yes = true}) == exit_failure);
  std::vector<std::string> writes;
  for (const auto& call : f.server.calls)
    if (call.method != "GET") writes.push_back(call.method);
  CHECK(writes == std::vector<std::string>{"PATCH", "DELETE"});
  CHECK_THAT(f.err.str(), Contains("c9: there is no such cluster"));
}
