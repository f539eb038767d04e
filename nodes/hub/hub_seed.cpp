#include "nodes/hub/hub_seed.hpp"

#include "actors/hub/cluster_rbac.hpp"

namespace wh {
namespace {

constexpr const char* rbac = "rbac.authorization.k8s.io/v1";

document role(const char* name, document rules) {
  return {{"apiVersion", rbac}, {"kind", "ClusterRole"}, {"metadata", {{"name", name}}}, {"rules", std::move(rules)}};
}

document group_binding(const char* name, const char* role_name, const char* group) {
  return {{"apiVersion", rbac},
          {"kind", "ClusterRoleBinding"},
          {"metadata", {{"name", name}}},
          {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role_name}}},
          {"subjects", {{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Group"}, {"name", group}}}}};
}

using strings = std::vector<std::string>;

document rule(strings groups, strings resources, strings verbs) {
  return {{"apiGroups", std::move(groups)}, {"resources", std::move(resources)}, {"verbs", std::move(verbs)}};
}

/// security-model 3.4: what a bootstrap identity may do through REST.
document bootstrap_rules() {
  const std::string cluster = "cluster.open-cluster-management.io";
  return document::array(
      {rule({""}, {"configmaps"}, {"get"}),
       rule({"certificates.k8s.io"}, {"certificatesigningrequests"}, {"create", "get", "list", "watch"}),
       rule({cluster}, {"managedclusters"}, {"get", "create", "list", "watch"}),
       rule({cluster}, {"managedclustersets/join"}, {"create"})});
}

}  // namespace

std::vector<document> hub_roles() {
  std::vector<document> all = {role("open-cluster-management:bootstrap", bootstrap_rules()),
                               group_binding("open-cluster-management:bootstrap", "open-cluster-management:bootstrap",
                                             "system:bootstrappers:managedcluster")};
  for (auto& shared : shared_cluster_roles()) all.push_back(std::move(shared));
  return all;
}

document cluster_info(const std::string& api, const std::string& link, const std::string& ca_pem,
                      const std::string& pin) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", "cluster-info"}, {"namespace", "kube-public"}}},
          {"data", {{"hub-api", api}, {"hub-link", link}, {"ca.crt", ca_pem}, {"ca-pin", pin}}}};
}

}  // namespace wh
