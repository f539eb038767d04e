// What Open Cluster Management's kinds promise: names, defaults, bounds, and what they carry without looking at it.
#include "kinds_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* policies = "policy.open-cluster-management.io";
constexpr const char* apps = "apps.open-cluster-management.io";
constexpr const char* proxy = "proxy.open-cluster-management.io";
constexpr const char* authentication = "authentication.open-cluster-management.io";

document settled(const char* group, const char* version, const char* kind, const char* body) {
  const auto info = served(kind_set::hub).find_kind(group, version, kind);
  REQUIRE(info);
  auto doc = document::parse(body);
  CHECK(info->structure->prune(doc).empty());
  info->structure->apply_defaults(doc);
  for (const auto& e : info->structure->validate(doc)) FAIL_CHECK(e.text());
  return doc;
}

}  // namespace

TEST_CASE("policies, applications and the proxy's kinds are served where they live", "[kinds]") {
  struct row {
    const char* group;
    const char* version;
    const char* plural;
    std::vector<std::string> short_names;
    bool has_status, on_cluster;
  };
  const row rows[] = {
      {policies, "v1", "policies", {"plc"}, true, true},
      {policies, "v1", "placementbindings", {"pb"}, true, false},
      {policies, "v1beta1", "policysets", {"plcset"}, true, false},
      {policies, "v1beta1", "policyautomations", {"plca"}, true, false},
      {policies, "v1", "configurationpolicies", {}, true, true},
      {policies, "v1", "certificatepolicies", {}, true, true},
      {policies, "v1beta1", "operatorpolicies", {}, true, true},
      {apps, "v1", "channels", {}, false, false},
      {apps, "v1", "subscriptions", {"appsub"}, true, true},
      {apps, "v1", "placementrules", {}, true, false},
      {apps, "v1", "deployables", {}, true, false},
      {apps, "v1", "helmreleases", {}, true, true},
      {apps, "v1alpha1", "subscriptionreports", {"appsubreport"}, false, false},
      {apps, "v1alpha1", "subscriptionstatuses", {"appsubstatus"}, true, true},
      {apps, "v1alpha1", "gitopsclusters", {"gitopscluster", "goc"}, true, false},
      {apps, "v1alpha1", "multiclusterapplicationsetreports", {"appsetreport", "appsetreports"}, false, false},
      {proxy, "v1alpha1", "managedproxyconfigurations", {}, true, false},
      {proxy, "v1alpha1", "managedproxyserviceresolvers", {}, true, false},
      {authentication, "v1beta1", "managedserviceaccounts", {}, true, false},
      {authentication, "v1alpha1", "managedserviceaccounts", {}, true, false}};
  for (const auto& r : rows) {
    INFO(r.plural);
    const auto kind = served(kind_set::hub).find(r.group, r.version, r.plural);
    REQUIRE(kind);
    CHECK(kind->short_names == r.short_names);
    CHECK(kind->has_status == r.has_status);
    CHECK(kind->namespaced == (r.group != std::string_view(proxy)));
    CHECK((served(kind_set::cluster).find(r.group, r.version, r.plural) != nullptr) == r.on_cluster);
  }
  CHECK(served(kind_set::hub)
            .find_resource("managedserviceaccounts.authentication.open-cluster-management.io")
            ->version == "v1beta1");
}

TEST_CASE("the kinds of Open Cluster Management's add-ons get their defaults", "[kinds]") {
  struct row {
    const char* group;
    const char* version;
    const char* kind;
    const char* spec;
    const char* settled;
  };
  const row rows[] = {
      {policies, "v1", "ConfigurationPolicy",
       R"({"namespaceSelector":{},"object-templates":[{"complianceType":"musthave","objectDefinition":{}}]})",
       R"({"namespaceSelector":{"terminatingInclusion":"Default"},"pruneObjectBehavior":"None","remediationAction":"inform",
           "object-templates":[{"complianceType":"musthave","objectDefinition":{},"recreateOption":"None"}]})"},
      {policies, "v1beta1", "OperatorPolicy",
       R"({"complianceType":"musthave","subscription":{"name":"x"},"upgradeApproval":"None","removalBehavior":{"subscriptions":"Keep"}})",
       R"({"complianceType":"musthave","subscription":{"name":"x"},"upgradeApproval":"None","remediationAction":"inform",
           "removalBehavior":{"operatorGroups":"DeleteIfUnused","subscriptions":"Keep","clusterServiceVersions":"Delete",
                              "customResourceDefinitions":"Keep"},
           "complianceConfig":{"catalogSourceUnhealthy":"Compliant","deploymentsUnavailable":"NonCompliant",
                               "deprecationsPresent":"Compliant","minorChannelUpgradeAvailable":"Compliant",
                               "upgradesAvailable":"Compliant"}})"},
      {policies, "v1beta1", "PolicyAutomation",
       R"({"policyRef":"p","mode":"once","automationDef":{"name":"j","secret":"s"}})",
       R"({"policyRef":"p","mode":"once","automationDef":{"name":"j","secret":"s"},"eventHook":"noncompliant"})"},
      {apps, "v1alpha1", "GitOpsCluster", R"({"placementRef":{"name":"p"},"argoCDAgentAddon":{}})",
       R"({"placementRef":{"name":"p"},"argoCDAgentAddon":{"mode":"managed"}})"},
      {proxy, "v1alpha1", "ManagedProxyConfiguration",
       R"({"authentication":{"signer":{},"dump":{"secrets":{}}},"deploy":{"ports":{}},"proxyAgent":{"image":"a","replicas":0},
           "proxyServer":{"image":"s","entrypoint":{"type":"LoadBalancerService","loadBalancerService":{}}}})",
       R"({"authentication":{"signer":{"type":"SelfSigned"},"dump":{"secrets":{"signingProxyServerSecretName":"proxy-server",
             "signingProxyClientSecretName":"proxy-client","signingAgentServerSecretName":"agent-server"}}},
           "deploy":{"ports":{"proxyServer":8090,"agentServer":8091,"healthServer":8092,"adminServer":8095}},
           "proxyAgent":{"image":"a","replicas":0},
           "proxyServer":{"image":"s","replicas":3,"inClusterServiceName":"proxy-entrypoint",
             "namespace":"open-cluster-management-cluster-proxy",
             "entrypoint":{"type":"LoadBalancerService","port":8091,"loadBalancerService":{"name":"proxy-agent-entrypoint"}}}})"},
      {proxy, "v1alpha1", "ManagedProxyServiceResolver", R"({"managedClusterSelector":{},"serviceSelector":{}})",
       R"({"managedClusterSelector":{"type":"ManagedClusterSet"},"serviceSelector":{"type":"ServiceRef"}})"},
      {authentication, "v1beta1", "ManagedServiceAccount",
       R"({"rotation":{"validity":"1h"},"ttlSecondsAfterCreation":1})",
       R"({"rotation":{"enabled":true,"validity":"1h"},"ttlSecondsAfterCreation":1})"}};
  for (const auto& r : rows) {
    INFO(r.kind);
    const auto body = std::string(R"({"metadata":{"name":"x"},"spec":)") + r.spec + "}";
    CHECK(settled(r.group, r.version, r.kind, body.c_str())["spec"] == document::parse(r.settled));
  }
}

TEST_CASE("what policies and subscriptions carry comes back as it was", "[kinds]") {
  struct row {
    const char* group;
    const char* version;
    const char* kind;
    const char* body;
  };
  const row rows[] = {
      {policies, "v1", "Policy",
       R"({"metadata":{"name":"p"},"spec":{"disabled":false,"policy-templates":[{"objectDefinition":{"kind":"X","spec":{"a":null,"b":[{"c":0.5}],"d":""}}}]}})"},
      {policies, "v1", "ConfigurationPolicy",
       R"({"spec":{"remediationAction":"inform","pruneObjectBehavior":"None","object-templates-raw":"{{ range }}\n- x"}})"},
      {policies, "v1beta1", "PolicyAutomation",
       R"({"spec":{"policyRef":"p","mode":"disabled","eventHook":"noncompliant","rescanAfter":"",
           "automationDef":{"name":"j","secret":"s","extra_vars":{"any":{"depth":[1,null]}},"policyViolationsLimit":0}}})"},
      {apps, "v1", "Subscription",
       R"({"spec":{"channel":"n/c","overrides":[{"clusterName":"/","clusterOverrides":[{"path":"a.b","value":null}]}],
           "packageOverrides":[{"packageName":"p","packageOverrides":[{"path":"spec","value":{"x":[1]}}]}]}})"},
      {apps, "v1", "HelmRelease", R"({"repo":{"chartName":"c"},"spec":{"values":{"a":null,"b":[]}}})"},
      {apps, "v1", "Deployable", R"({"spec":{"template":{"kind":"X","data":{"a":null}}}})"},
      {apps, "v1alpha1", "SubscriptionReport",
       R"({"reportType":"Cluster","results":[{"source":"a/b","result":"deployed","timestamp":{"seconds":0,"nanos":0}}]})"}};
  for (const auto& r : rows) {
    INFO(r.kind);
    CHECK(settled(r.group, r.version, r.kind, r.body) == document::parse(r.body));
  }
}

TEST_CASE("wrong fields of policies, applications and the proxy's kinds are named", "[kinds]") {
  struct row {
    const char* group;
    const char* version;
    const char* kind;
    const char* body;
    const char* complaint;  ///< how the only complaint begins
  };
  const row rows[] = {
      {policies, "v1", "Policy", R"({"metadata":{},"spec":{"disabled":false}})",
       "spec.policy-templates: Required value"},
      {policies, "v1", "Policy",
       R"({"metadata":{},"spec":{"disabled":true,"policy-templates":[],"remediationAction":"ENFORCE"}})",
       "spec.remediationAction: Unsupported value: \"ENFORCE\": supported values: "},
      {policies, "v1", "Policy",
       R"({"metadata":{},"spec":{"disabled":true,"policy-templates":[],"dependencies":[{"apiVersion":"v","kind":"ConfigurationPolicy",
           "name":"n","namespace":"x","compliance":"Compliant"}]}})",
       "spec.dependencies[0]: Invalid value: "},
      {policies, "v1", "PlacementBinding",
       R"({"placementRef":{"apiGroup":"cluster.open-cluster-management.io","kind":"Placement","name":"p"},"subjects":[]})",
       "subjects: Invalid value: 0: subjects in body should have at least 1 items"},
      {policies, "v1", "PlacementBinding",
       R"({"placementRef":{"apiGroup":"apps.open-cluster-management.io","kind":"Placement","name":"p"},
           "subjects":[{"apiGroup":"policy.open-cluster-management.io","kind":"Policy","name":"a"}]})",
       "placementRef: Invalid value: "},
      {policies, "v1", "ConfigurationPolicy",
       R"({"spec":{"remediationAction":"inform","object-templates":[],"object-templates-raw":""}})",
       "spec: Invalid value: "},
      {policies, "v1", "ConfigurationPolicy",
       R"({"spec":{"remediationAction":"inform","object-templates":[],"evaluationInterval":{"compliant":"soon"}}})",
       "spec.evaluationInterval.compliant: Invalid value: \"soon\""},
      {policies, "v1", "CertificatePolicy", R"({"spec":{"minimumDuration":"10 days"}})",
       "spec.minimumDuration: Invalid value: \"10 days\""},
      {apps, "v1", "Channel", R"({"spec":{"type":"Svn","pathname":"x"}})", "spec.type: Unsupported value: \"Svn\""},
      {apps, "v1", "Channel", R"({"spec":{"type":"Git","pathname":"x","sourceNamespaces":["a","a"]}})",
       "spec.sourceNamespaces[1]: Duplicate value: \"a\""},
      {apps, "v1", "Subscription", R"({"spec":{}})", "spec.channel: Required value"},
      {proxy, "v1alpha1", "ManagedProxyConfiguration",
       R"({"spec":{"authentication":{},"proxyAgent":{"image":"a"},"proxyServer":{"image":"s","entrypoint":{"type":"Hostname","port":0}}}})",
       "spec.proxyServer.entrypoint.port: Invalid value: 0: "},
      {authentication, "v1beta1", "ManagedServiceAccount", R"({"spec":{"rotation":{},"ttlSecondsAfterCreation":0}})",
       "spec.ttlSecondsAfterCreation: Invalid value: 0: "}};
  for (const auto& r : rows) {
    INFO(r.body);
    const auto errors =
        served(kind_set::hub).find_kind(r.group, r.version, r.kind)->structure->validate(document::parse(r.body));
    REQUIRE(errors.size() == 1);
    CHECK_THAT(errors[0].text(), Catch::StartsWith(r.complaint));
  }
}
