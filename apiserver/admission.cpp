#include "apiserver/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "apiserver/access/escalation.hpp"
#include "apiserver/access/token_endpoints.hpp"
#include "base/encoding.hpp"
#include "resources/crd_rules.hpp"

namespace wh {

namespace {

using rule = answer<void> (*)(admission&);

// --- core kinds ------------------------------------------------------------------------------------------------------

answer<void> complete_namespace(admission& a) {
  auto& o = a.object;
  o["metadata"]["labels"]["kubernetes.io/metadata.name"] = name_of(o);
  if (a.creates()) {
    o["spec"]["finalizers"] = {"kubernetes"};
    o["status"] = {{"phase", "Active"}};
  } else if (a.subresource.empty()) {
    if (const auto* had = find_path(*a.old, {"spec"})) o["spec"] = *had;
    else o.erase("spec");
  }
  return {};
}

answer<void> complete_secret(admission& a) {
  auto text = a.object.find("stringData");
  if (text != a.object.end() && text->is_object()) {
    for (const auto& [key, value] : text->items())
      if (value.is_string()) a.object["data"][key] = to_base64(value.get_ref<const std::string&>());
    a.object.erase("stringData");
  }
  return fill_token_secret(a);
}

/// The beginning of a long text, cut at a character's border.
std::string cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max)) + "...";
}

answer<void> complete_pod(admission& a) {
  if (a.creates()) a.object["status"] = {{"phase", "Pending"}, {"qosClass", "BestEffort"}};
  return {};
}

/// Says which of a definition's CEL rules nobody will hold its objects to.
void warn_of_rules(admission& a) {
  constexpr std::size_t warnings_max = 20, rule_bytes_max = 200;
  const auto rules = rules_of_crd(a.object);
  for (std::size_t i = 0; i < rules.size() && i < warnings_max; ++i)
    a.warnings.push_back(fmt::format("{}: the rule {} is not enforced: CEL rules are kept but not evaluated",
                                     rules[i].place, go_quote(cut_text(rules[i].rule, rule_bytes_max))));
  if (rules.size() > warnings_max)
    a.warnings.push_back(fmt::format("{} more x-kubernetes-validations are not enforced", rules.size() - warnings_max));
}

answer<void> complete_crd(admission& a) {
  if (!a.subresource.empty() || (a.old && is_deleting(*a.old))) return {};
  auto errors = establish_crd(a.object, a.old, *a.call.core->options.kinds, a.now);
  a.errors.insert(a.errors.end(), errors.begin(), errors.end());
  if (errors.empty()) warn_of_rules(a);
  return {};
}

/// Keys become names of files.
bool is_data_key(std::string_view key) {
  constexpr std::size_t key_max = 253;
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !key.empty() && key.size() <= key_max && std::all_of(key.begin(), key.end(), allowed) && key != "." &&
         !key.starts_with("..");
}

void check_data_keys(admission& a) {
  for (const char* field : {"data", "binaryData"}) {
    const auto* data = find_path(a.object, {field});
    if (!data || !data->is_object()) continue;
    for (const auto& [key, value] : data->items())
      if (!is_data_key(key))
        a.errors.push_back(
            {field_error_type::invalid, fmt::format("{}[{}]", field, key), go_quote(key),
             "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
             "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"});
  }
}

/// ConfigMaps and Secrets: their keys, and what declared itself immutable.
answer<void> check_data(admission& a) {
  check_data_keys(a);
  if (a.creates() || !bool_at(*a.old, {"immutable"}, false)) return {};
  if (!bool_at(a.object, {"immutable"}, false))
    a.errors.push_back({field_error_type::forbidden, "immutable", "", "field is immutable when `immutable` is set"});
  for (const char* field : {"data", "binaryData"}) {
    const auto* was = find_path(*a.old, {field});
    const auto* is = find_path(a.object, {field});
    if ((was == nullptr) != (is == nullptr) || (was && *was != *is))
      a.errors.push_back({field_error_type::forbidden, field, "", "field is immutable when `immutable` is set"});
  }
  return {};
}

struct rule_row {
  std::string_view resource;
  rule complete;
  rule check;
};

constexpr rule_row rules[] = {
    {"addontemplates.addon.open-cluster-management.io", nullptr, check_work_template},
    {"certificatesigningrequests.certificates.k8s.io", complete_csr, check_csr},
    {"clusterrolebindings.rbac.authorization.k8s.io", nullptr, check_binding},
    {"clusterroles.rbac.authorization.k8s.io", nullptr, check_role},
    {"configmaps", nullptr, check_data},
    {"customresourcedefinitions.apiextensions.k8s.io", complete_crd, nullptr},
    {"events", nullptr, check_event},
    {"events.events.k8s.io", nullptr, check_new_event},
    {"klusterlets.operator.open-cluster-management.io", nullptr, check_klusterlet},
    {"managedclusters.cluster.open-cluster-management.io", complete_managed_cluster, check_managed_cluster},
    {"managedclustersets.cluster.open-cluster-management.io", nullptr, check_cluster_set},
    {"managedclustersetbindings.cluster.open-cluster-management.io", nullptr, check_cluster_set_binding},
    {"manifestworkreplicasets.work.open-cluster-management.io", nullptr, check_work_template},
    {"manifestworks.work.open-cluster-management.io", nullptr, check_manifest_work},
    {"namespaces", complete_namespace, nullptr},
    {"pods", complete_pod, nullptr},
    {"policies.policy.open-cluster-management.io", nullptr, check_policy},
    {"policysets.policy.open-cluster-management.io", nullptr, check_policy_set},
    {"rolebindings.rbac.authorization.k8s.io", nullptr, check_binding},
    {"roles.rbac.authorization.k8s.io", nullptr, check_role},
    {"secrets", complete_secret, check_data},
};

const rule_row* row_of(const std::string& resource) {
  for (const auto& row : rules)
    if (row.resource == resource) return &row;
  return nullptr;
}

/// Takes one member over from the old object, absence included.
void take_member(document& next, const document& old, const std::string& key) {
  if (auto had = old.find(key); had != old.end()) next[key] = *had;
  else next.erase(key);
}

}  // namespace

bool admission::allowed(std::string verb, std::string group, std::string resource, std::string sub, std::string name,
                        std::string ns) const {
  return call.core->options.access->allows({user(),
                                            std::move(verb),
                                            std::move(group),
                                            std::move(resource),
                                            std::move(sub),
                                            std::move(ns),
                                            std::move(name),
                                            {}});
}

answer<void> complete_object(admission& a) {
  const auto* row = row_of(a.call.resource());
  return row && row->complete ? row->complete(a) : answer<void>();
}

answer<void> check_object(admission& a) {
  const auto* row = row_of(a.call.resource());
  return row && row->check ? row->check(a) : answer<void>();
}

answer<void> check_delete(const api_call&, const object_key& key) {
  bool kept =
      key.resource == "namespaces" && (key.name == "default" || key.name == "kube-system" || key.name == "kube-public");
  if (kept) return forbidden_error(key.resource, key.name, "this namespace may not be deleted");
  return {};
}

document confine_to_subresource(const api_call& call, const document& old, document next) {
  const auto& sub = call.path.subresource;
  if (sub.empty()) {
    if (call.kind.asked->has_status) take_member(next, old, "status");
    return next;
  }
  document out = old;
  if (sub == "status") {
    take_member(out, next, "status");
  } else if (sub == "approval") {
    const auto* conditions = find_path(next, {"status", "conditions"});
    if (conditions) out["status"]["conditions"] = *conditions;
    else if (out.contains("status")) out["status"].erase("conditions");
  } else if (sub == "finalize") {
    const auto* finalizers = find_path(next, {"spec", "finalizers"});
    out["spec"]["finalizers"] = finalizers ? *finalizers : document::array();
  }
  // Of what was sent in metadata only the locks count; the rest belongs to the main resource.
  out["metadata"].erase("resourceVersion");
  for (const char* lock : {"name", "namespace", "resourceVersion", "uid"})
    if (const auto* sent = find_path(next, {"metadata", lock})) out["metadata"][lock] = *sent;
  return out;
}

}  // namespace wh
