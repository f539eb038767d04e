// v1alpha1 and v1beta1 of the add-on kinds. v1alpha1 is stored.
#include <algorithm>

#include "resources/internal/conversions.hpp"
#include "resources/internal/kept_parts.hpp"

namespace wh::internal {
namespace {

constexpr const char* only_in_v1alpha1 = "addon.open-cluster-management.io/v1alpha1-only";
constexpr const char* only_in_v1beta1 = "addon.open-cluster-management.io/v1beta1-only";
constexpr const char* install_namespace = "addon.open-cluster-management.io/v1alpha1-install-namespace";
constexpr const char* no_default = "__reserved_no_default__";
constexpr const char* kube_client_signer = "kubernetes.io/kube-apiserver-client";

void rename(document& object, const char* part, const char* from, const char* to) {
  const auto holder = object.find(part);
  if (holder == object.end() || !holder->is_object() || !holder->contains(from)) return;
  auto value = std::move((*holder)[from]);
  holder->erase(from);
  (*holder)[to] = std::move(value);
}

void move_member(document& from, const char* name, document& to, const char* as) {
  const auto it = from.find(name);
  if (it == from.end()) return;
  to[as] = std::move(*it);
  from.erase(it);
}

// --- ClusterManagementAddOn: a config with its default, and one with a name for "none" -------------------------------

document config_to_v1beta1(const document& supported) {
  auto out = supported;
  if (!out.is_object()) return out;
  document had = document::object();
  move_member(out, "defaultConfig", had, "default");
  auto& config = had["default"];
  if (!config.is_object()) config = {{"name", no_default}};
  for (const char* name : {"namespace", "name"}) move_member(config, name, out, name);
  return out;
}

document config_to_v1alpha1(const document& with_name) {
  auto out = with_name;
  if (!out.is_object()) return out;
  document config = document::object();
  for (const char* name : {"namespace", "name"}) move_member(out, name, config, name);
  if (const auto name = string_at(config, {"name"}); !name.empty() && name != no_default)
    out["defaultConfig"] = std::move(config);
  return out;
}

// --- ManagedClusterAddOn: registrations by signer, and by type -------------------------------------------------------

std::string driver_of(const document& v1beta1) {
  const auto* all = find_path(v1beta1, {"status", "registrations"});
  if (!all || !all->is_array()) return "";
  for (const auto& r : *all)
    if (string_at(r, {"type"}) == "kubeClient" && find_path(r, {"kubeClient"}))
      return std::string(string_at(r, {"kubeClient", "driver"}));
  return "";
}

bool has_kube_client(const document& v1beta1) {
  const auto* all = find_path(v1beta1, {"status", "registrations"});
  return all && all->is_array() && std::any_of(all->begin(), all->end(), [](const document& r) {
           return string_at(r, {"type"}) == "kubeClient";
         });
}

/// A subject whose members have other names, or do not exist (null), in the other version.
document subject_of(const document& source, const char* units_were, const char* units_are) {
  auto out = source;
  if (!out.is_object()) return out;
  document units = document::object();
  move_member(out, units_were, units, "units");
  if (units_are && units.contains("units")) out[units_are] = std::move(units["units"]);
  return out;
}

document registration_to_v1beta1(const document& r, const std::string& driver) {
  document out = {{"type", "customSigner"}};
  const auto* subject = find_path(r, {"subject"});
  if (string_at(r, {"signerName"}) == kube_client_signer) {
    out["type"] = "kubeClient";
    if (subject) out["kubeClient"]["subject"] = subject_of(*subject, "organizationUnit", nullptr);
    if (!driver.empty()) out["kubeClient"]["driver"] = driver;
    return out;
  }
  if (const auto* signer = find_path(r, {"signerName"})) out["customSigner"]["signerName"] = *signer;
  if (subject) out["customSigner"]["subject"] = subject_of(*subject, "organizationUnit", "organizationUnits");
  return out;
}

document registration_to_v1alpha1(const document& r) {
  document out = document::object();
  if (string_at(r, {"type"}) == "kubeClient") {
    out["signerName"] = kube_client_signer;
    if (const auto* subject = find_path(r, {"kubeClient", "subject"})) out["subject"] = *subject;
    return out;
  }
  if (const auto* signer = find_path(r, {"customSigner", "signerName"})) out["signerName"] = *signer;
  if (const auto* subject = find_path(r, {"customSigner", "subject"}))
    out["subject"] = subject_of(*subject, "organizationUnits", "organizationUnit");
  return out;
}

document reference_to_v1beta1(const document& r) {
  auto out = r;
  if (!out.is_object()) return out;
  for (const char* name : {"namespace", "name"}) out.erase(name);
  return out;
}

/// The name beside the desired config is an older way of saying the same.
document reference_to_v1alpha1(const document& r) {
  auto out = r;
  if (!out.is_object()) return out;
  for (const char* name : {"namespace", "name"})
    if (const auto* desired = find_path(r, {"desiredConfig", name})) out[name] = *desired;
  return out;
}

void install_namespace_to_annotation(document& object) {
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) return;
  document ns = document::object();
  move_member(*spec, "installNamespace", ns, "name");
  const auto name = string_at(ns, {"name"});
  if (name.empty()) return;
  annotations_to_change(object)[install_namespace] = std::string(name);
}

void install_namespace_from_annotation(document& object) {
  const auto* annotations = find_path(object, {"metadata", "annotations"});
  if (!annotations || !annotations->is_object() || !annotations->contains(install_namespace)) return;
  auto& meta = object["metadata"];
  auto& spec = object["spec"];
  if (!spec.is_object()) spec = document::object();
  move_member(meta["annotations"], install_namespace, spec, "installNamespace");
  if (meta["annotations"].empty()) meta.erase("annotations");
}

}  // namespace

void management_addon_to_v1beta1(document& object) {
  const auto former = kept_parts::take(object, only_in_v1beta1);
  kept_parts lost;
  convert_entries(object, "spec", "supportedConfigs", config_to_v1beta1, config_to_v1alpha1, former, lost);
  rename(object, "spec", "supportedConfigs", "defaultConfigs");
  rename(object, "status", "defaultconfigReferences", "defaultConfigReferences");
  lost.set_aside(object, "spec", "addOnConfiguration");
  lost.put(object, only_in_v1alpha1);
}

void management_addon_to_v1alpha1(document& object) {
  const auto former = kept_parts::take(object, only_in_v1alpha1);
  kept_parts lost;
  rename(object, "spec", "defaultConfigs", "supportedConfigs");
  rename(object, "status", "defaultConfigReferences", "defaultconfigReferences");
  convert_entries(object, "spec", "supportedConfigs", config_to_v1alpha1, config_to_v1beta1, former, lost);
  former.bring_back(object, "spec", "addOnConfiguration");
  lost.put(object, only_in_v1beta1);
}

void managed_addon_to_v1beta1(document& object) {
  const auto former = kept_parts::take(object, only_in_v1beta1);
  kept_parts lost;
  const std::string driver(string_at(object, {"status", "kubeClientDriver"}));
  convert_entries(
      object, "status", "registrations", [&](const document& r) { return registration_to_v1beta1(r, driver); },
      registration_to_v1alpha1, former, lost);
  convert_entries(object, "status", "configReferences", reference_to_v1beta1, reference_to_v1alpha1, former, lost);
  if (driver_of(object) != driver) lost.set_aside(object, "status", "kubeClientDriver");
  else if (!driver.empty()) object["status"].erase("kubeClientDriver");
  lost.set_aside(object, "status", "addOnConfiguration");
  install_namespace_to_annotation(object);
  lost.put(object, only_in_v1alpha1);
}

void managed_addon_to_v1alpha1(document& object) {
  const auto former = kept_parts::take(object, only_in_v1alpha1);
  kept_parts lost;
  auto driver = driver_of(object);
  if (!has_kube_client(object)) former.bring_back(object, "status", "kubeClientDriver");
  else if (!driver.empty()) object["status"]["kubeClientDriver"] = driver;
  convert_entries(
      object, "status", "registrations", registration_to_v1alpha1,
      [&](const document& r) { return registration_to_v1beta1(r, driver); }, former, lost);
  convert_entries(object, "status", "configReferences", reference_to_v1alpha1, reference_to_v1beta1, former, lost);
  former.bring_back(object, "status", "addOnConfiguration");
  install_namespace_from_annotation(object);
  lost.put(object, only_in_v1beta1);
}

}  // namespace wh::internal
