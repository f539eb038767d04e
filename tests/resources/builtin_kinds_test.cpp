#include "kinds_fixture.hpp"
#include "resources/internal/computed_columns.hpp"
#include "resources/internal/json_path.hpp"
#include "resources/schema_node.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("the hub serves what OCM's hub needs", "[kinds]") {
  const auto& hub = served(kind_set::hub);
  for (const char* resource :
       {"namespaces", "secrets", "configmaps", "serviceaccounts", "events", "leases.coordination.k8s.io",
        "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
        "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
        "certificatesigningrequests.certificates.k8s.io", "customresourcedefinitions.apiextensions.k8s.io",
        "managedclusters.cluster.open-cluster-management.io", "manifestworks.work.open-cluster-management.io"}) {
    INFO(resource);
    const auto kind = hub.find_resource(resource);
    REQUIRE(kind);
    CHECK(kind->group_resource() == resource);
    CHECK(hub.find(kind->group, kind->version, kind->plural) == kind);
    CHECK(hub.find_kind(kind->group, kind->version, kind->kind) == kind);
  }
  CHECK_FALSE(hub.find_resource("pods"));
}

TEST_CASE("a cluster serves the everyday kinds", "[kinds]") {
  const auto& cluster = served(kind_set::cluster);
  for (const char* resource : {"pods",
                               "services",
                               "nodes",
                               "endpoints",
                               "persistentvolumes",
                               "persistentvolumeclaims",
                               "resourcequotas",
                               "limitranges",
                               "deployments.apps",
                               "statefulsets.apps",
                               "daemonsets.apps",
                               "replicasets.apps",
                               "jobs.batch",
                               "cronjobs.batch",
                               "horizontalpodautoscalers.autoscaling",
                               "poddisruptionbudgets.policy",
                               "ingresses.networking.k8s.io",
                               "networkpolicies.networking.k8s.io",
                               "storageclasses.storage.k8s.io",
                               "priorityclasses.scheduling.k8s.io",
                               "appliedmanifestworks.work.open-cluster-management.io",
                               "clusterclaims.cluster.open-cluster-management.io"}) {
    INFO(resource);
    CHECK(cluster.find_resource(resource));
  }
}

TEST_CASE("every built-in kind is whole", "[kinds]") {
  for (const auto set : {kind_set::hub, kind_set::cluster}) {
    for (const auto& kind : served(set).all()) {
      INFO(kind->group_resource());
      CHECK_FALSE(kind->plural.empty());
      CHECK_FALSE(kind->singular.empty());
      CHECK(kind->list_kind == kind->kind + "List");
      CHECK(kind->structure->root().find_property("metadata"));
      if (kind->has_status) CHECK(kind->structure->root().find_property("status"));
      const auto openapi = kind->structure->openapi();
      CHECK(openapi["properties"].contains("metadata"));
      const auto text = openapi.dump();
      // Kinds that are CRDs upstream are written out in full.
      CHECK((text.find("$ref") == std::string::npos) == kind->protobuf.empty());
      CHECK(text.find("x-protobuf") == std::string::npos);
      // What refers to a kind does so by the name that the kind has.
      if (!kind->protobuf.empty())
        CHECK(builtin_definition("io.k8s." + kind->protobuf.substr(std::string("k8s.io.").size())).is_object());
      for (const auto& column : kind->columns) {
        INFO(column.name);
        if (column.json_path.starts_with('@')) {
          CHECK(internal::is_computed_column(column.json_path.substr(1)));
        } else {
          CHECK(internal::json_path::parse(column.json_path).ok());
        }
      }
    }
  }
}

TEST_CASE("kinds of Kubernetes refer to definitions by the names that Kubernetes gives them", "[kinds]") {
  const auto deployments = served(kind_set::cluster).find_resource("deployments.apps");
  REQUIRE(deployments);
  const auto openapi = deployments->structure->openapi();
  // A reference has neighbours in allOf only.
  const auto& spec = openapi["properties"]["spec"];
  CHECK(spec["allOf"] == document::parse(R"([{"$ref":"#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}])"));
  CHECK_FALSE(spec.contains("properties"));
  CHECK_FALSE(spec["description"].get<std::string>().empty());

  const auto pod = builtin_definition("io.k8s.api.core.v1.PodSpec");
  CHECK(pod["properties"]["containers"]["items"] ==
        document::parse(R"({"$ref":"#/components/schemas/io.k8s.api.core.v1.Container"})"));
  const auto container = builtin_definition("io.k8s.api.core.v1.Container");
  CHECK(container["properties"]["resources"]["default"] == document::object());
  // What JSON knows as members of one object stays there, with what it requires.
  const auto probe = builtin_definition("io.k8s.api.core.v1.Probe");
  CHECK(probe["properties"]["httpGet"]["allOf"][0]["$ref"] == "#/components/schemas/io.k8s.api.core.v1.HTTPGetAction");
  CHECK(builtin_definition("io.k8s.api.core.v1.EphemeralContainer")["required"] == document({"name"}));

  const auto words = [](const char* name) {
    auto definition = builtin_definition(name);
    definition.erase("description");
    return definition.dump();
  };
  CHECK(words("io.k8s.apimachinery.pkg.api.resource.Quantity") == R"({"oneOf":[{"type":"string"},{"type":"number"}]})");
  CHECK(words("io.k8s.apimachinery.pkg.util.intstr.IntOrString") ==
        R"({"format":"int-or-string","oneOf":[{"type":"integer"},{"type":"string"}]})");
  CHECK(words("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime") == R"({"format":"date-time","type":"string"})");
  CHECK(words("io.k8s.apimachinery.pkg.runtime.RawExtension") == R"({"type":"object"})");
  CHECK(builtin_definition("io.k8s.api.core.v1.None").is_null());
  CHECK(builtin_definition("").is_null());
}

TEST_CASE("sets of clusters and placements have the defaults and bounds of Open Cluster Management", "[kinds]") {
  const auto* group = "cluster.open-cluster-management.io";
  const auto set = defaulted(kind_set::hub, group, "v1beta2", "ManagedClusterSet", R"({"metadata":{"name":"s"}})");
  CHECK(set["spec"]["clusterSelector"] == document({{"selectorType", "ExclusiveClusterSetLabel"}}));
  const auto placement =
      defaulted(kind_set::hub, group, "v1beta1", "Placement",
                R"({"spec":{"prioritizerPolicy":{"configurations":[{"scoreCoordinate":{"builtIn":"Steady"}}]},
                    "tolerations":[{"key":"a"}],"decisionStrategy":{"groupStrategy":{}},
                    "spreadPolicy":{"spreadConstraints":[{"topologyKey":"zone","topologyKeyType":"Label"}]}}})");
  CHECK(placement["spec"] == document::parse(R"({
    "prioritizerPolicy":{"mode":"Additive","configurations":[{"scoreCoordinate":{"builtIn":"Steady","type":"BuiltIn"},"weight":1}]},
    "tolerations":[{"key":"a","operator":"Equal"}],
    "decisionStrategy":{"groupStrategy":{"clustersPerDecisionGroup":"100%"}},
    "spreadPolicy":{"spreadConstraints":[{"topologyKey":"zone","topologyKeyType":"Label","maxSkew":1,"whenUnsatisfiable":"ScheduleAnyway"}]},
    "sortBy":"ClusterName","scoreRateLimit":"1m"})"));
  const auto placement_complaints = [&](const char* body) {
    return complaints(kind_set::hub, group, "Placement", body, "v1beta1");
  };
  CHECK(placement_complaints(
            R"({"spec":{"prioritizerPolicy":{"configurations":[{"scoreCoordinate":{"type":"BuiltIn"},"weight":11}]},
                "decisionStrategy":{"groupStrategy":{"clustersPerDecisionGroup":"0%"}}}})")
            .size() == 2);
  CHECK(placement_complaints(R"({"metadata":{"name":"p"}})") == texts{"spec: Required value"});
  const auto score_complaints = [&](const char* body) {
    return complaints(kind_set::hub, group, "AddOnPlacementScore", body, "v1alpha1");
  };
  CHECK(score_complaints(R"({"status":{"scores":[{"name":"a","value":101}]}})").size() == 1);
  CHECK(score_complaints(R"({"status":{"scores":[{"name":"a","value":0}]}})").empty());
}

TEST_CASE("a ManagedCluster gets its lease period and keeps an explicit zero", "[kinds]") {
  const auto* group = "cluster.open-cluster-management.io";
  auto doc = defaulted(kind_set::hub, group, "v1", "ManagedCluster",
                       R"({"metadata":{"name":"c1"},"spec":{"hubAcceptsClient":false}})");
  CHECK(doc["spec"]["leaseDurationSeconds"] == 60);
  doc = defaulted(kind_set::hub, group, "v1", "ManagedCluster",
                  R"({"metadata":{"name":"c1"},"spec":{"leaseDurationSeconds":0}})");
  CHECK(doc["spec"]["leaseDurationSeconds"] == 0);
  CHECK(
      complaints(
          kind_set::hub, group, "ManagedCluster",
          R"({"spec":{"leaseDurationSeconds":"x","taints":[{"key":"a b","effect":"No"}],"managedClusterClientConfigs":[{"caBundle":"?"}]}})") ==
      texts{
          "spec.leaseDurationSeconds: Invalid value: \"string\": spec.leaseDurationSeconds in body must be of type integer: \"string\"",
          "spec.managedClusterClientConfigs[0].url: Required value",
          "spec.managedClusterClientConfigs[0].caBundle: Invalid value: \"?\": spec.managedClusterClientConfigs[0].caBundle in body must be of type byte: \"?\"",
          "spec.taints[0].effect: Unsupported value: \"No\": supported values: \"NoSelect\", \"PreferNoSelect\", \"NoSelectIfNew\"",
          "spec.taints[0].key: Invalid value: \"a b\": spec.taints[0].key in body should match "
          "'^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$'"});
}

TEST_CASE("a ManifestWork keeps its manifests as they are", "[kinds]") {
  const auto doc = defaulted(kind_set::hub, "work.open-cluster-management.io", "v1", "ManifestWork",
                             R"({"metadata":{"name":"w","namespace":"c1"},
    "spec":{"workload":{"manifests":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"odd":{"x":null},"replicas":3}}]},
    "deleteOption":{},"manifestConfigs":[{"resourceIdentifier":{"resource":"deployments","name":"d"},"updateStrategy":{"serverSideApply":{}},"unknown":1}]}})");
  CHECK(doc["spec"]["workload"]["manifests"][0]["spec"] == document::parse(R"({"odd":{"x":null},"replicas":3})"));
  CHECK(doc["spec"]["deleteOption"]["propagationPolicy"] == "Foreground");
  const auto& config = doc["spec"]["manifestConfigs"][0];
  CHECK(config["updateStrategy"] ==
        document::parse(R"({"type":"Update","serverSideApply":{"fieldManager":"work-agent"}})"));
  CHECK(config["feedbackScrapeType"] == "Poll");
  CHECK_FALSE(config.contains("unknown"));
}

TEST_CASE("a Deployment gets the API server's defaults", "[kinds]") {
  const auto doc =
      defaulted(kind_set::cluster, "apps", "v1", "Deployment",
                R"({"metadata":{"name":"web","creationTimestamp":null},"spec":{"selector":{"matchLabels":{"a":"b"}},
    "strategy":{},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx","ports":[{"containerPort":80}],
    "readinessProbe":{"httpGet":{"port":80},"periodSeconds":0},"resources":{"limits":{"cpu":"1"}}}],"volumes":[{"name":"s","secret":{"secretName":"x"}}]}}},"status":{}})");
  const auto& spec = doc["spec"];
  CHECK(spec["replicas"] == 1);
  CHECK(spec["revisionHistoryLimit"] == 10);
  CHECK(spec["progressDeadlineSeconds"] == 600);
  CHECK(spec["strategy"] ==
        document::parse(R"({"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}})"));
  const auto& pod = spec["template"]["spec"];
  CHECK(pod["restartPolicy"] == "Always");
  CHECK(pod["dnsPolicy"] == "ClusterFirst");
  CHECK(pod["terminationGracePeriodSeconds"] == 30);
  CHECK(pod["schedulerName"] == "default-scheduler");
  const auto& container = pod["containers"][0];
  CHECK(container["imagePullPolicy"] == "Always");
  CHECK(container["terminationMessagePath"] == "/dev/termination-log");
  CHECK(container["ports"][0]["protocol"] == "TCP");
  CHECK(container["resources"]["requests"]["cpu"] == "1");
  CHECK(container["readinessProbe"] ==
        document::parse(R"({"httpGet":{"port":80,"path":"/","scheme":"HTTP"},"periodSeconds":10,"timeoutSeconds":1,
    "successThreshold":1,"failureThreshold":3})"));
  CHECK(pod["volumes"][0]["secret"]["defaultMode"] == 420);
}

TEST_CASE("a StatefulSet's claim templates may say that they are claims, and do in the end", "[kinds]") {
  const auto* body = R"({"spec":{"serviceName":"s","selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}},
    "volumeClaimTemplates":[{"metadata":{"name":"one"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{}}},
      {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"two"},
       "spec":{"accessModes":["ReadWriteOnce"],"resources":{}}}]}})";
  auto raw = document::parse(body);
  CHECK(served(kind_set::cluster).find_kind("apps", "v1", "StatefulSet")->structure->prune(raw).empty());
  const auto set = defaulted(kind_set::cluster, "apps", "v1", "StatefulSet", body);
  for (const auto& claim : set["spec"]["volumeClaimTemplates"]) {
    CHECK(claim["apiVersion"] == "v1");
    CHECK(claim["kind"] == "PersistentVolumeClaim");
  }
}

TEST_CASE("defaults that depend on siblings leave other choices alone", "[kinds]") {
  const auto recreate =
      defaulted(kind_set::cluster, "apps", "v1", "Deployment",
                R"({"metadata":{"name":"w"},"spec":{"replicas":0,"selector":{},"strategy":{"type":"Recreate"},
    "template":{"spec":{"containers":[{"name":"c","image":"r.example:5000/i:1.2"}]}}}})");
  CHECK(recreate["spec"]["strategy"] == document::parse(R"({"type":"Recreate"})"));
  CHECK(recreate["spec"]["replicas"] == 0);
  CHECK(recreate["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent");
  const auto service = defaulted(kind_set::cluster, "", "v1", "Service",
                                 R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":80,"protocol":""}]}})");
  CHECK(service["spec"]["ports"][0] == document::parse(R"({"port":80,"protocol":"TCP","targetPort":80})"));
  CHECK(service["spec"]["type"] == "ClusterIP");
  CHECK(service["spec"]["internalTrafficPolicy"] == "Cluster");
  const auto binding = defaulted(
      kind_set::hub, "rbac.authorization.k8s.io", "v1", "RoleBinding",
      R"({"metadata":{"name":"b"},"subjects":[{"kind":"User","name":"ann"},{"kind":"ServiceAccount","name":"r","namespace":"d"}],
                                     "roleRef":{"apiGroup":"","kind":"Role","name":"r"}})");
  CHECK(binding["subjects"][0]["apiGroup"] == "rbac.authorization.k8s.io");
  CHECK_FALSE(binding["subjects"][1].contains("apiGroup"));
  CHECK(binding["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io");
  const auto secret = defaulted(kind_set::hub, "", "v1", "Secret",
                                R"({"metadata":{"name":"s"},"data":{"k":"AA=="},"stringData":{"l":"x"}})");
  CHECK(secret["type"] == "Opaque");
  CHECK(secret["stringData"]["l"] == "x");
}

TEST_CASE("built-in kinds refuse what Kubernetes would refuse", "[kinds]") {
  CHECK(complaints(kind_set::cluster, "apps", "Deployment",
                   R"({"spec":{"replicas":-1,"template":{"spec":{"containers":[{"image":"x"}]}}}})") ==
        texts{"spec.selector: Required value", "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
              "spec.template.spec.containers[0].name: Required value"});
  CHECK(complaints(kind_set::hub, "", "Secret", R"({"data":{"k":"not base64"}})").size() == 1);
  CHECK(complaints(kind_set::cluster, "", "LimitRange", R"({"spec":{"limits":[{"type":"Pod","max":{"cpu":0.5}}]}})")
            .empty());
  CHECK(complaints(kind_set::cluster, "", "LimitRange", R"({"spec":{"limits":[{"type":"Pod","max":{"cpu":[]}}]}})") ==
        texts{"spec.limits[0].max.cpu: Invalid value: \"array\": spec.limits[0].max.cpu in body must be of type "
              "integer,string: \"array\""});
  CHECK(complaints(kind_set::hub, "cluster.open-cluster-management.io", "ManagedCluster",
                   R"({"spec":{},"status":{"capacity":{"cpu":0.5}}})")
            .size() == 1);
  CHECK(complaints(kind_set::cluster, "", "Pod",
                   R"({"spec":{"containers":[{"name":"c","env":[{"name":"A"},{"name":"A"}]}]}})")
            .empty());
  CHECK(complaints(kind_set::cluster, "", "Pod", R"({"spec":{"containers":[{"name":"c"},{"name":"c"}]}})") ==
        texts{"spec.containers[1]: Duplicate value: {\"name\":\"c\"}"});
  CHECK(complaints(kind_set::hub, "", "ConfigMap", R"({"data":{"k":5}})") ==
        texts{"data.k: Invalid value: \"integer\": data.k in body must be of type string: \"integer\""});
}

TEST_CASE("immutable fields are named when they change", "[kinds]") {
  const auto kind = served(kind_set::hub).find_resource("rolebindings.rbac.authorization.k8s.io");
  const auto before = document::parse(R"({"roleRef":{"kind":"Role","name":"a"}})");
  CHECK(kind->structure->validate_update(before, before).empty());
  const auto errors =
      kind->structure->validate_update(before, document::parse(R"({"roleRef":{"kind":"Role","name":"b"}})"));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].text() == "roleRef: Invalid value: {\"kind\":\"Role\",\"name\":\"b\"}: field is immutable");
}

TEST_CASE("request kinds are found and DeleteOptions under any version", "[kinds]") {
  CHECK(find_request_kind("apps", "v1", "DeleteOptions"));
  CHECK(find_request_kind("authentication.k8s.io", "v1", "TokenRequest"));
  CHECK_FALSE(find_request_kind("", "v1", "TokenRequest"));
}

TEST_CASE("the registry forgets every version of a removed kind", "[kinds]") {
  kind_registry registry;
  kind_info kind;
  kind.group = "g.example";
  kind.plural = "things";
  kind.kind = "Thing";
  for (const char* version : {"v1", "v2"}) {
    kind.version = version;
    kind.storage = kind.version == "v2";
    registry.add(kind);
  }
  const auto before = registry.version();
  CHECK(registry.find_resource("things.g.example")->version == "v2");
  CHECK(registry.all().size() == 2);
  registry.remove("g.example", "things");
  CHECK(registry.all().empty());
  CHECK(registry.version() != before);
}
