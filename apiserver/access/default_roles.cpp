#include "apiserver/access/default_roles.hpp"

#include <string>

namespace wh {

namespace {

using strings = std::vector<std::string>;

constexpr const char* rbac_group = "rbac.authorization.k8s.io";
const strings read = {"get", "list", "watch"};
const strings write = {"create", "delete", "deletecollection", "patch", "update"};
const strings read_write = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};

document object(const char* kind, const char* name, const strings& aggregate_to = {}) {
  document labels = {{"kubernetes.io/bootstrapping", "rbac-defaults"}};
  for (const auto& to : aggregate_to) labels["rbac.authorization.k8s.io/aggregate-to-" + to] = "true";
  return {{"apiVersion", std::string(rbac_group) + "/v1"},
          {"kind", kind},
          {"metadata",
           {{"name", name},
            {"labels", labels},
            {"annotations", {{"rbac.authorization.kubernetes.io/autoupdate", "true"}}}}}};
}

document role(const char* name, document rules, const strings& aggregate_to = {}) {
  auto doc = object("ClusterRole", name, aggregate_to);
  doc["rules"] = std::move(rules);
  return doc;
}

/// A role that gathers those labelled aggregate-to-<name>.
document gathering(const char* name, const strings& aggregate_to = {}) {
  auto doc = object("ClusterRole", name, aggregate_to);
  const document labels = {{std::string("rbac.authorization.k8s.io/aggregate-to-") + name, "true"}};
  doc["aggregationRule"]["clusterRoleSelectors"] = document::array({document{{"matchLabels", labels}}});
  doc["rules"] = document::array();
  return doc;
}

document rule(const strings& groups, const strings& resources, const strings& verbs) {
  return {{"apiGroups", groups}, {"resources", resources}, {"verbs", verbs}};
}

document urls(const strings& paths) { return {{"nonResourceURLs", paths}, {"verbs", {"get"}}}; }

document binding(const char* name, const strings& groups) {
  auto doc = object("ClusterRoleBinding", name);
  doc["roleRef"] = {{"apiGroup", rbac_group}, {"kind", "ClusterRole"}, {"name", name}};
  doc["subjects"] = document::array();
  for (const auto& g : groups) doc["subjects"].push_back({{"apiGroup", rbac_group}, {"kind", "Group"}, {"name", g}});
  return doc;
}

document view_rules() {
  return document::array({rule({""},
                               {"configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status",
                                "pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts",
                                "services", "services/status"},
                               read),
                          rule({""},
                               {"bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status",
                                "replicationcontrollers/status", "resourcequotas", "resourcequotas/status"},
                               read),
                          rule({""}, {"namespaces"}, read), rule({"discovery.k8s.io"}, {"endpointslices"}, read),
                          rule({"apps"},
                               {"controllerrevisions", "daemonsets", "daemonsets/status", "deployments",
                                "deployments/scale", "deployments/status", "replicasets", "replicasets/scale",
                                "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status"},
                               read),
                          rule({"autoscaling"}, {"horizontalpodautoscalers", "horizontalpodautoscalers/status"}, read),
                          rule({"batch"}, {"cronjobs", "cronjobs/status", "jobs", "jobs/status"}, read),
                          rule({"policy"}, {"poddisruptionbudgets", "poddisruptionbudgets/status"}, read),
                          rule({"networking.k8s.io"}, {"ingresses", "ingresses/status", "networkpolicies"}, read)});
}

document edit_rules() {
  return document::array(
      {rule({""}, {"pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"}, read),
       rule({""}, {"serviceaccounts"}, {"impersonate"}),
       rule({""}, {"pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"}, write),
       rule({""}, {"pods/eviction"}, {"create"}),
       rule({""},
            {"configmaps", "events", "persistentvolumeclaims", "replicationcontrollers", "replicationcontrollers/scale",
             "secrets", "serviceaccounts", "services", "services/proxy"},
            write),
       rule({""}, {"serviceaccounts/token"}, {"create"}),
       rule({"apps"},
            {"daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
             "replicasets/scale", "statefulsets", "statefulsets/scale"},
            write),
       rule({"autoscaling"}, {"horizontalpodautoscalers"}, write), rule({"batch"}, {"cronjobs", "jobs"}, write),
       rule({"policy"}, {"poddisruptionbudgets"}, write),
       rule({"networking.k8s.io"}, {"ingresses", "networkpolicies"}, write),
       rule({"coordination.k8s.io"}, {"leases"}, read_write)});
}

document admin_rules() {
  return document::array({rule({"authorization.k8s.io"}, {"localsubjectaccessreviews"}, {"create"}),
                          rule({rbac_group}, {"rolebindings", "roles"}, read_write)});
}

/// A work does on its cluster whatever it says, so writing works is for those who administer the cluster's namespace.
void add_hub_roles(std::vector<document>& all) {
  const std::string cluster = "cluster.open-cluster-management.io", work = "work.open-cluster-management.io";
  all.push_back(role("open-cluster-management:aggregate-to-view",
                     document::array({rule({cluster}, {"managedclusters", "managedclusters/status"}, read),
                                      rule({cluster}, {"managedclustersetbindings", "managedclustersets"}, read),
                                      rule({work}, {"manifestworks", "manifestworks/status"}, read)}),
                     {"view"}));
  all.push_back(role("open-cluster-management:aggregate-to-admin",
                     document::array({rule({cluster}, {"managedclustersetbindings"}, read_write),
                                      rule({work}, {"manifestworks"}, read_write)}),
                     {"admin"}));
}

document everything() {
  return document::array({rule({"*"}, {"*"}, {"*"}), document{{"nonResourceURLs", {"*"}}, {"verbs", {"*"}}}});
}

void add_roles(std::vector<document>& all) {
  all.push_back(role("cluster-admin", everything()));
  all.push_back(gathering("admin"));
  all.push_back(gathering("edit", {"admin"}));
  all.push_back(gathering("view", {"edit"}));
  all.push_back(role("system:aggregate-to-admin", admin_rules(), {"admin"}));
  all.push_back(role("system:aggregate-to-edit", edit_rules(), {"edit"}));
  all.push_back(role("system:aggregate-to-view", view_rules(), {"view"}));
  all.push_back(role("system:basic-user",
                     document::array({rule({"authorization.k8s.io"},
                                           {"selfsubjectaccessreviews", "selfsubjectrulesreviews"}, {"create"}),
                                      rule({"authentication.k8s.io"}, {"selfsubjectreviews"}, {"create"})})));
  all.push_back(role("system:discovery",
                     document::array({urls({"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
                                            "/openapi/*", "/readyz", "/version", "/version/"})})));
  all.push_back(role("system:public-info-viewer",
                     document::array({urls({"/healthz", "/livez", "/readyz", "/version", "/version/"})})));
  all.push_back(role("system:service-account-issuer-discovery",
                     document::array({urls({"/.well-known/openid-configuration", "/.well-known/openid-configuration/",
                                            "/openid/v1/jwks", "/openid/v1/jwks/"})})));
  // For those who check tokens and rights on behalf of others.
  all.push_back(role("system:auth-delegator",
                     document::array({rule({"authentication.k8s.io"}, {"tokenreviews"}, {"create"}),
                                      rule({"authorization.k8s.io"}, {"subjectaccessreviews"}, {"create"})})));
}

/// Who extends the server learns with it whose client certificates the server believes.
document authentication_reader() {
  constexpr const char* map = "extension-apiserver-authentication";
  auto doc = object("Role", "extension-apiserver-authentication-reader");
  doc["metadata"]["namespace"] = "kube-system";
  doc["rules"] = document::array({rule({""}, {"configmaps"}, read)});
  doc["rules"][0]["resourceNames"] = {map};
  return doc;
}

}  // namespace

std::vector<document> default_access(bool hub) {
  std::vector<document> all;
  add_roles(all);
  if (hub) add_hub_roles(all);
  all.push_back(authentication_reader());
  all.push_back(binding("cluster-admin", {"system:masters"}));
  all.push_back(binding("system:basic-user", {"system:authenticated"}));
  all.push_back(binding("system:discovery", {"system:authenticated"}));
  all.push_back(binding("system:public-info-viewer", {"system:authenticated", "system:unauthenticated"}));
  all.push_back(binding("system:service-account-issuer-discovery", {"system:serviceaccounts"}));
  return all;
}

}  // namespace wh
