#include "resources/table.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

const instant now = *parse_rfc3339("2026-01-02T12:00:00Z");

document cells(kind_set set, const char* resource, const char* object) {
  kind_registry registry;
  add_builtin_kinds(registry, set);
  const auto kind = registry.find_resource(resource);
  REQUIRE(kind);
  auto row = table_row(*kind, document::parse(object), "None", now);
  REQUIRE(row["cells"].size() == table_columns(*kind).size());
  return row["cells"];
}

}  // namespace

TEST_CASE("a ManagedCluster's row shows acceptance, addresses and conditions", "[table]") {
  const auto row = cells(kind_set::hub, "managedclusters.cluster.open-cluster-management.io",
                         R"({"metadata":{"name":"c1","creationTimestamp":"2026-01-02T11:00:00Z"},
    "spec":{"hubAcceptsClient":true,"managedClusterClientConfigs":[{"url":"https://a"},{"url":"https://b"}]},
    "status":{"conditions":[{"type":"ManagedClusterJoined","status":"True"},{"type":"ManagedClusterConditionAvailable","status":"Unknown"}]}})");
  CHECK(row == document::parse(R"(["c1",true,"https://a,https://b","True","Unknown","60m"])"));
  const auto bare =
      cells(kind_set::hub, "managedclusters.cluster.open-cluster-management.io", R"({"metadata":{"name":"c2"}})");
  CHECK(bare == document::parse(R"(["c2",null,null,null,null,null])"));
}

TEST_CASE("a kind that is a CRD elsewhere has empty cells where others have zeros", "[table]") {
  CHECK(cells(kind_set::hub, "placements.cluster.open-cluster-management.io", R"({"metadata":{"name":"p"}})") ==
        document::parse(R"(["p",null,null,null])"));
  CHECK(cells(kind_set::cluster, "replicasets.apps", R"({"metadata":{"name":"r"}})")[1] == 0);
}

TEST_CASE("cells of Kubernetes' own kinds say <none> where kubectl's users are used to it", "[table]") {
  const auto cron =
      cells(kind_set::cluster, "cronjobs.batch", R"({"metadata":{"name":"c"},"spec":{"schedule":"@daily"}})");
  CHECK(cron[2] == "<none>");
  CHECK(cron[5] == "<none>");
  CHECK(cron[6] == "<unknown>");
  CHECK(cells(kind_set::cluster, "services", R"({"metadata":{"name":"s"},"spec":{}})")[2] == "<none>");
}

TEST_CASE("computed columns read as kubectl's", "[table]") {
  CHECK(
      cells(
          kind_set::hub, "secrets",
          R"({"metadata":{"name":"s","creationTimestamp":"2026-01-02T11:59:30Z"},"type":"Opaque","data":{"a":"","b":""}})") ==
      document::parse(R"(["s","Opaque",2,"30s"])"));
  CHECK(
      cells(kind_set::cluster, "deployments.apps",
            R"({"metadata":{"name":"d"},"spec":{"replicas":3},"status":{"readyReplicas":2,"updatedReplicas":3}})")[1] ==
      "2/3");
  const auto pod = cells(kind_set::cluster, "pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{},{}]},
    "status":{"phase":"Running","containerStatuses":[{"ready":true,"restartCount":2},{"ready":false,"restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})");
  CHECK(pod[1] == "1/2");
  CHECK(pod[2] == "CrashLoopBackOff");
  CHECK(pod[3] == "3");
  const auto node =
      cells(kind_set::cluster, "nodes", R"({"metadata":{"name":"n","labels":{"node-role.kubernetes.io/worker":""}},
    "spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}],"addresses":[{"type":"InternalIP","address":"10.0.0.1"}]}})");
  CHECK(node[1] == "Ready,SchedulingDisabled");
  CHECK(node[2] == "worker");
  CHECK(node[5] == "10.0.0.1");
  const auto csr = cells(kind_set::hub, "certificatesigningrequests.certificates.k8s.io",
                         R"({"metadata":{"name":"r"},"spec":{"signerName":"s","username":"u","expirationSeconds":3600},
    "status":{"certificate":"AAAA","conditions":[{"type":"Approved","status":"True"}]}})");
  CHECK(csr[5] == "Approved,Issued");
  CHECK(cells(kind_set::hub, "rolebindings.rbac.authorization.k8s.io",
              R"({"metadata":{"name":"b"},"roleRef":{"kind":"Role","name":"r"},
    "subjects":[{"kind":"ServiceAccount","name":"x","namespace":"y"}]})")[1] == "Role/r");
  CHECK(
      cells(
          kind_set::cluster, "services",
          R"({"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","ports":[{"port":80,"nodePort":30080,"protocol":"TCP"}]}})") ==
      document::parse(R"(["s","LoadBalancer","<none>","<pending>","80:30080/TCP","<unknown>","<none>"])"));
}

TEST_CASE("no built-in kind's row fails on an empty or odd object", "[table]") {
  for (const auto set : {kind_set::hub, kind_set::cluster}) {
    kind_registry registry;
    add_builtin_kinds(registry, set);
    for (const auto& kind : registry.all()) {
      INFO(kind->kind);
      for (
          const char* odd :
          {"{}",
           R"({"metadata":{"name":"x","labels":7,"ownerReferences":[1]},"spec":[1],"status":{"conditions":[null,1],"containerStatuses":["x"]},"data":5,"subjects":[3]})"}) {
        const auto row = table_row(*kind, document::parse(odd), "Metadata", now);
        CHECK(row["cells"].size() == kind->columns.size() + 1);
      }
    }
  }
}

TEST_CASE("a row carries as much of its object as was asked for", "[table]") {
  kind_info kind;
  const auto object = document::parse(R"({"metadata":{"name":"x"},"data":{"a":"b"}})");
  CHECK(table_row(kind, object, "Object", now)["object"] == object);
  CHECK(table_row(kind, object, "Metadata", now)["object"]["kind"] == "PartialObjectMetadata");
  CHECK_FALSE(table_row(kind, object, "Metadata", now)["object"].contains("data"));
  CHECK_FALSE(table_row(kind, object, "None", now).contains("object"));
}

TEST_CASE("a user's column shows null where there is nothing", "[table]") {
  kind_info kind;
  kind.from_crd = true;
  kind.columns = {{.name = "N", .type = "integer", .format = "", .description = "", .json_path = ".spec.n"},
                  {.name = "When", .type = "date", .format = "", .description = "", .json_path = ".spec.t"}};
  CHECK(table_row(kind, document::parse(R"({"metadata":{"name":"x"}})"), "None", now)["cells"] ==
        document::parse(R"(["x",null,null])"));
  CHECK(table_row(kind, document::parse(R"({"metadata":{"name":"x"},"spec":{"n":4,"t":"2026-01-01T12:00:00Z"}})"),
                  "None", now)["cells"] == document::parse(R"(["x",4,"24h"])"));
}

TEST_CASE("columns of Kubernetes' own kinds say what they show", "[table]") {
  for (const auto set : {kind_set::hub, kind_set::cluster}) {
    kind_registry kinds;
    add_builtin_kinds(kinds, set);
    for (const auto& kind : kinds.all()) {
      if (kind->group.ends_with(".open-cluster-management.io")) continue;
      for (const auto& column : table_columns(*kind)) {
        INFO(kind->kind << " " << column["name"]);
        CHECK_FALSE(column["description"].get<std::string>().empty());
      }
    }
  }
}

TEST_CASE("a column has the description of its field, of its computation, or its own", "[table]") {
  kind_registry kinds;
  add_builtin_kinds(kinds, kind_set::cluster);
  const auto text = [&](const char* resource, const char* name) -> std::string {
    const auto kind = kinds.find_resource(resource);
    REQUIRE(kind);
    for (const auto& column : table_columns(*kind))
      if (column["name"] == name) return column["description"];
    return "no such column";
  };
  CHECK(text("pods", "Age") == "When the object was created; set by the server.");
  CHECK(text("pods", "Ready") == "How many containers are ready, of how many.");
  CHECK(text("nodes", "Internal-IP") == "Address of the node within the cluster.");
  CHECK(text("deployments.apps", "Images").starts_with("The image to run."));
  CHECK(text("persistentvolumes", "Capacity").starts_with("How much the volume holds"));
}
