#include "nodes/ctl/import_kinds.hpp"

#include <catch2/catch.hpp>

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

namespace {

const imported_kind& kind_named(const std::string& name) {
  for (const auto& kind : imported_kinds())
    if (kind.kind == name) return kind;
  FAIL("no kind " << name);
  return imported_kinds().front();
}

document parsed(const std::string& yaml) { return parse_yaml(yaml)->front(); }

document work(const std::string& metadata) {
  return parsed("{metadata: {name: w, namespace: c1, " + metadata + "}, spec: {workload: {manifests: []}}}");
}

std::string left_out(const std::string& metadata, bool with_owned = false) {
  return reason_to_leave_out(kind_named("ManifestWork"), work(metadata),
                             {.replica_sets = {"ns.web"}, .take_owned = with_owned});
}

}  // namespace

TEST_CASE("of a cluster everything goes that belongs to the source's hub", "[ctl][import]") {
  const auto taken = portable(kind_named("ManagedCluster"), parsed(R"(
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata:
  name: c1
  uid: u
  resourceVersion: "9"
  generation: 4
  creationTimestamp: "2026-01-01T00:00:00Z"
  managedFields: [{}]
  selfLink: /x
  finalizers: [a/b]
  ownerReferences: [{name: x}]
  labels: {vendor: kind, feature.open-cluster-management.io/addon-search: available}
  annotations: {registration.wheelhouse.io/public-key-sha256: abc, agent.open-cluster-management.io/x: "1"}
spec:
  hubAcceptsClient: true
  leaseDurationSeconds: 30
  taints:
  - {key: cluster.open-cluster-management.io/unreachable, effect: NoSelect, timeAdded: "2026-01-01T00:00:00Z"}
  - {key: mine, effect: NoSelect, timeAdded: "2026-01-01T00:00:00Z"}
status: {conditions: []}
)"));
  CHECK(taken == parsed(R"(
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: c1, labels: {vendor: kind}, annotations: {agent.open-cluster-management.io/x: "1"}}
spec: {hubAcceptsClient: true, leaseDurationSeconds: 30, taints: [{key: mine, effect: NoSelect}]}
)"));
}

TEST_CASE("sets of v1beta1 are written as v1beta2", "[ctl][import]") {
  const auto taken = portable(
      kind_named("ManagedClusterSet"),
      parsed("{apiVersion: cluster.open-cluster-management.io/v1beta1, kind: ManagedClusterSet, metadata: {name: s}, "
             "spec: {clusterSelector: {selectorType: LegacyClusterSetLabel}}}"));
  CHECK(taken.at("apiVersion") == "cluster.open-cluster-management.io/v1beta2");
  CHECK(taken.at("spec").at("clusterSelector").at("selectorType") == "ExclusiveClusterSetLabel");
}

TEST_CASE("works that somebody makes again are left out, unless they are asked for", "[ctl][import]") {
  const std::string set_label = "labels: {work.open-cluster-management.io/manifestworkreplicaset: ns.web}";
  CHECK(left_out("labels: {a: b}").empty());
  CHECK_THAT(left_out(set_label), Contains("ManifestWorkReplicaSet ns.web makes it again"));
  CHECK_THAT(left_out("ownerReferences: [{kind: ManagedClusterAddOn, name: search}]"), Contains("add-on search"));
  CHECK_THAT(left_out("labels: {open-cluster-management.io/addon-name: proxy}"), Contains("add-on proxy"));
  CHECK(left_out(set_label, true).empty());
  CHECK_THAT(left_out("deletionTimestamp: x", true), Contains("being deleted at the source"));
  const auto owned = work("ownerReferences: [{kind: Subscription, name: s, controller: true}]");
  CHECK(reason_to_leave_out(kind_named("ManifestWork"), owned, {}).empty());
  CHECK_THAT(what_is_lost(kind_named("ManifestWork"), owned, {}), Contains("Subscription s, does not come along"));
  const auto orphaned = work("labels: {work.open-cluster-management.io/manifestworkreplicaset: ns.gone}");
  CHECK(reason_to_leave_out(kind_named("ManifestWork"), orphaned, {.replica_sets = {"ns.web"}}).empty());
  CHECK_THAT(what_is_lost(kind_named("ManifestWork"), orphaned, {}), Contains("ManifestWorkReplicaSet ns.gone"));
  CHECK(what_is_lost(kind_named("ManifestWork"), orphaned, {.replica_sets = {"ns.gone"}}).empty());
}

TEST_CASE("objects without what one expects are taken as they are, and end nothing", "[ctl][import]") {
  const auto odd = GENERATE(values<std::string>({"{metadata: {name: a}}", "{metadata: {name: a, labels: 7}, spec: 8}",
                                                 "{}", "{metadata: {name: a, ownerReferences: [7], annotations: []}}",
                                                 "{metadata: {name: a}, spec: {taints: 7, clusterSelector: []}}",
                                                 "{metadata: {name: a}, spec: {taints: [7, {}]}}"}));
  for (const auto& kind : imported_kinds()) {
    const auto object = parsed(odd);
    CHECK(reason_to_leave_out(kind, object, {}).empty());
    const auto taken = portable(kind, object);
    CHECK(taken.at("kind") == kind.kind);
    (void)differences(kind, parsed("{metadata: {name: a}, spec: {}}"), taken);
    (void)overwritten(kind, parsed("{metadata: {name: a}, spec: {}}"), taken);
  }
}

TEST_CASE("differences are named, without what the source has no say in", "[ctl][import]") {
  const auto& kind = kind_named("ManagedCluster");
  const auto here = parsed(R"({metadata: {name: c1, labels: {a: b, more: here}}, spec: {hubAcceptsClient: true,
    leaseDurationSeconds: 60, taints: [{key: cluster.open-cluster-management.io/unreachable, effect: NoSelect},
    {key: mine, effect: NoSelect, timeAdded: t}]}})");
  const auto same = parsed(R"({metadata: {name: c1, labels: {a: b}}, spec: {hubAcceptsClient: false,
    leaseDurationSeconds: 60, taints: [{key: mine, effect: NoSelect}]}})");
  CHECK(differences(kind, here, same).empty());
  const auto other = parsed("{metadata: {name: c1, labels: {a: c}}, spec: {leaseDurationSeconds: 30}}");
  CHECK(differences(kind, here, other) ==
        std::vector<std::string>{"metadata.labels", "spec.leaseDurationSeconds", "spec.taints"});
  const auto changed = overwritten(kind, here, other);
  CHECK(changed.at("spec").at("hubAcceptsClient") == true);
  CHECK(changed.at("spec").at("taints").size() == 1);
  CHECK(changed.at("metadata").at("labels") == document{{"a", "c"}, {"more", "here"}});
  CHECK(overwritten(kind, here, same).at("spec").at("taints").at(1).at("timeAdded") == "t");
}
