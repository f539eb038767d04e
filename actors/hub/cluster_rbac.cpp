#include "actors/hub/cluster_rbac.hpp"

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"

namespace wh {
namespace {

constexpr const char* rbac_version = "rbac.authorization.k8s.io/v1";
constexpr const char* rbac_group = "rbac.authorization.k8s.io";

std::string role_name(const std::string& suffix) { return "open-cluster-management:managedcluster:" + suffix; }

document rule(const std::vector<std::string>& groups, const std::vector<std::string>& resources,
              const std::vector<std::string>& verbs, const std::vector<std::string>& names = {}) {
  document r = {{"apiGroups", groups}, {"resources", resources}, {"verbs", verbs}};
  if (!names.empty()) r["resourceNames"] = names;
  return r;
}

const std::string cluster_api = "cluster.open-cluster-management.io";

document accepted_rules(const std::string& cluster) {
  return document::array({
      rule({"certificates.k8s.io"}, {"certificatesigningrequests"}, {"create", "get", "list", "watch"}),
      rule({"register.open-cluster-management.io"}, {"managedclusters/clientcertificates"}, {"renew"}),
      rule({cluster_api}, {"managedclusters"}, {"get", "list", "update", "watch"}, {cluster}),
      rule({cluster_api}, {"managedclusters/status"}, {"patch", "update"}, {cluster}),
  });
}

document denied_rules(const std::string& cluster) {
  return document::array({rule({cluster_api}, {"managedclusters"}, {"get", "list", "watch"}, {cluster})});
}

document registration_rules() {
  const std::string addon = "addon.open-cluster-management.io";
  return document::array({
      rule({"coordination.k8s.io"}, {"leases"}, {"get", "list", "watch", "update"}),
      rule({addon}, {"managedclusteraddons"}, {"get", "list", "watch"}),
      rule({addon}, {"managedclusteraddons/status"}, {"patch", "update"}),
      rule({"events.k8s.io"}, {"events"}, {"create"}),
  });
}

document work_rules() {
  const std::string work = "work.open-cluster-management.io";
  return document::array({
      rule({"", "events.k8s.io"}, {"events"}, {"create", "patch", "update"}),
      rule({work}, {"manifestworks"}, {"get", "list", "watch", "update", "patch"}),
      rule({work}, {"manifestworks/status"}, {"patch", "update"}),
  });
}

/// Both spellings of a cluster's group (the second is the AWS driver's).
document cluster_subjects(const std::string& cluster) {
  const auto group = [](std::string name) {
    return document{{"apiGroup", rbac_group}, {"kind", "Group"}, {"name", std::move(name)}};
  };
  return document::array({group(names::cluster_group(cluster)), group("open-cluster-management:" + cluster)});
}

/// Creates the object or brings its `field`s to what they should be. One that is on its way out is replaced.
void ensure(const object_key& key, std::string_view api_version, std::string_view kind, const document& fields,
            const std::string& cluster, const context& ctx, outbox& out, const char* finalizer = nullptr) {
  auto existing = draft::open(key, ctx);
  if (existing && !is_deleting(existing->doc())) {
    if (finalizer) add_finalizer(existing->doc(), finalizer);
    existing->doc().update(fields);
    existing->save(out);
    return;
  }
  document doc = new_object(ctx, api_version, kind, key.ns, key.name);
  doc["metadata"].erase("generation");
  if (!cluster.empty()) doc["metadata"]["labels"] = {{names::cluster_name_label, cluster}};
  doc.update(fields);
  if (finalizer) add_finalizer(doc, finalizer);
  if (!existing) out.writes.preconditions.push_back(absent{key});
  out.store(key, encode_body(doc));
}

document binding(const char* kind, const std::string& role, const std::string& cluster) {
  return {{"roleRef", {{"apiGroup", rbac_group}, {"kind", kind}, {"name", role}}},
          {"subjects", cluster_subjects(cluster)}};
}

void ensure_namespace(const std::string& cluster, const context& ctx, outbox& out) {
  const object_key key{names::namespaces, "", cluster};
  auto existing = draft::open(key, ctx);
  if (existing) {
    existing->doc()["metadata"]["labels"][names::cluster_name_label] = cluster;
    existing->save(out);
    return;
  }
  document doc = new_object(ctx, "v1", "Namespace", "", cluster);
  doc["metadata"].erase("generation");
  doc["metadata"]["labels"] = {{names::cluster_name_label, cluster}, {"kubernetes.io/metadata.name", cluster}};
  doc["spec"] = {{"finalizers", {"kubernetes"}}};
  doc["status"] = {{"phase", "Active"}};
  out.writes.preconditions.push_back(absent{key});
  out.store(key, encode_body(doc));
}

object_key registration_binding(const std::string& cluster) {
  return {names::role_bindings, cluster, role_name(cluster + ":registration")};
}
object_key work_binding(const std::string& cluster) {
  return {names::role_bindings, cluster, role_name(cluster + ":work")};
}

void erase_if_there(const object_key& key, const context& ctx, outbox& out) {
  if (ctx.data.read(key)) out.remove(key);
}

/// Deletion is asked for; the finalizer keeps the rights until the works are gone.
void mark_if_there(const object_key& key, const context& ctx, outbox& out) {
  auto existing = draft::open(key, ctx);
  if (!existing || is_deleting(existing->doc())) return;
  add_finalizer(existing->doc(), names::work_finalizer);
  existing->doc()["metadata"]["deletionTimestamp"] = to_rfc3339(ctx.now);
  existing->doc()["metadata"]["deletionGracePeriodSeconds"] = 0;
  existing->save(out);
}

}  // namespace

void grant_cluster_access(const std::string& cluster, const context& ctx, outbox& out) {
  ensure_namespace(cluster, ctx, out);
  const auto role = [&](const std::string& name, document rules, const std::string& label) {
    ensure({names::cluster_roles, "", name}, rbac_version, "ClusterRole", {{"rules", std::move(rules)}}, label, ctx,
           out);
  };
  role(role_name(cluster), accepted_rules(cluster), cluster);
  ensure({names::cluster_role_bindings, "", role_name(cluster)}, rbac_version, "ClusterRoleBinding",
         binding("ClusterRole", role_name(cluster), cluster), cluster, ctx, out);
  ensure(registration_binding(cluster), rbac_version, "RoleBinding",
         binding("ClusterRole", role_name("registration"), cluster), cluster, ctx, out);
  ensure(work_binding(cluster), rbac_version, "RoleBinding", binding("ClusterRole", role_name("work"), cluster),
         cluster, ctx, out, names::work_finalizer);
}

void reduce_cluster_access(const std::string& cluster, bool without_works, const context& ctx, outbox& out) {
  ensure({names::cluster_roles, "", role_name(cluster)}, rbac_version, "ClusterRole",
         {{"rules", denied_rules(cluster)}}, cluster, ctx, out);
  erase_if_there(registration_binding(cluster), ctx, out);
  if (without_works) erase_if_there(work_binding(cluster), ctx, out);
  else mark_if_there(work_binding(cluster), ctx, out);
}

void release_cluster_access(const std::string& cluster, bool without_works, const context& ctx, outbox& out) {
  const auto binding = draft::open(work_binding(cluster), ctx);
  if (binding && is_deleting(binding->doc()) && without_works) out.remove(work_binding(cluster));
}

void remove_cluster_access(const std::string& cluster, const context& ctx, outbox& out) {
  erase_if_there({names::cluster_roles, "", role_name(cluster)}, ctx, out);
  erase_if_there({names::cluster_role_bindings, "", role_name(cluster)}, ctx, out);
  erase_if_there(registration_binding(cluster), ctx, out);
  erase_if_there(work_binding(cluster), ctx, out);
}

std::vector<document> shared_cluster_roles() {
  const auto role = [](const std::string& name, document rules) {
    return document{{"apiVersion", rbac_version},
                    {"kind", "ClusterRole"},
                    {"metadata", {{"name", name}}},
                    {"rules", std::move(rules)}};
  };
  return {role(role_name("registration"), registration_rules()), role(role_name("work"), work_rules())};
}

}  // namespace wh
