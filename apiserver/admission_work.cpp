#include <fmt/format.h>

#include <set>
#include <tuple>

#include "apiserver/admission.hpp"

namespace wh {

namespace {

/// Identifies a manifest within its work: apiVersion, kind, namespace, name.
using manifest_id = std::tuple<std::string, std::string, std::string, std::string>;

/// That it is an object with apiVersion and kind, the schema has seen to.
answer<void> check_manifest(const document& manifest, std::size_t index, std::set<manifest_id>& seen) {
  auto refuse = [&](std::string_view why) {
    return bad_request(fmt::format("spec.workload.manifests[{}]: {}", index, why));
  };
  if (!string_at(manifest, {"metadata", "generateName"}).empty())
    return refuse("metadata.generateName is not allowed in a manifest");
  if (name_of(manifest).empty()) return refuse("metadata.name is required in a manifest");
  manifest_id id{api_version(manifest), kind_of(manifest), namespace_of(manifest), name_of(manifest)};
  if (!seen.insert(id).second)
    return refuse(fmt::format("the manifest {} {} {} is listed twice", std::get<0>(id), std::get<1>(id),
                              go_quote((std::get<2>(id).empty() ? "" : std::get<2>(id) + "/") + std::get<3>(id))));
  return {};
}

answer<void> check_manifests(const admission& a) {
  const auto* manifests = find_path(a.object, {"spec", "workload", "manifests"});
  if (!manifests || !manifests->is_array() || manifests->empty())
    return bad_request("spec.workload.manifests: at least one manifest is required");
  std::set<manifest_id> seen;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < manifests->size(); ++i) {
    if (auto ok = check_manifest((*manifests)[i], i, seen); !ok) return ok;
    bytes += dump_document((*manifests)[i]).size();
  }
  auto limit = a.call.core->options.manifest_limit_bytes;
  if (bytes > limit)
    return bad_request(fmt::format("the size of manifests is {} bytes which exceeds the {} limit", bytes, limit));
  return {};
}

/// Naming an executor lends its rights on the spoke to the work, so only who may act as it can name it.
answer<void> check_executor(const admission& a) {
  const auto* executor = find_path(a.object, {"spec", "executor"});
  if (!executor || executor->is_null()) return {};
  const auto* had = a.old ? find_path(*a.old, {"spec", "executor"}) : nullptr;
  if (had && *had == *executor) return {};
  auto account =
      fmt::format("system:serviceaccount:{}:{}", string_at(*executor, {"subject", "serviceAccount", "namespace"}),
                  string_at(*executor, {"subject", "serviceAccount", "name"}));
  if (a.allowed("execute-as", "work.open-cluster-management.io", "manifestworks", "", account, a.call.path.ns))
    return {};
  return bad_request(fmt::format("user {} cannot manipulate the Manifestwork with executor {} in namespace {}",
                                 go_quote(a.user().name), go_quote(account), go_quote(a.call.path.ns)));
}

/// A rule of type CEL makes a condition, which must have a name.
void check_condition_rules(admission& a, const std::string& path, const document* work) {
  const auto* configs = work ? find_path(*work, {"manifestConfigs"}) : nullptr;
  if (!configs || !configs->is_array()) return;
  for (std::size_t i = 0; i < configs->size(); ++i) {
    const auto* rules = find_path((*configs)[i], {"conditionRules"});
    for (std::size_t j = 0; rules && rules->is_array() && j < rules->size(); ++j)
      if (string_at((*rules)[j], {"type"}) == "CEL" && string_at((*rules)[j], {"condition"}).empty())
        a.errors.push_back({field_error_type::invalid,
                            fmt::format("{}.manifestConfigs[{}].conditionRules[{}]", path, i, j), "\"object\"",
                            "Condition is required for CEL rules"});
  }
}

}  // namespace

answer<void> check_work_template(admission& a) {
  const char* member = kind_of(a.object) == "AddOnTemplate" ? "agentSpec" : "manifestWorkTemplate";
  check_condition_rules(a, std::string("spec.") + member, find_path(a.object, {"spec", member}));
  return {};
}

answer<void> check_manifest_work(admission& a) {
  if (!a.subresource.empty()) return {};
  check_condition_rules(a, "spec", find_path(a.object, {"spec"}));
  // Unchanged manifests were good when they came: a work from before a lower limit must still be labelled and let go.
  if (a.old && a.old->value("spec", document()) == a.object.value("spec", document())) return {};
  if (auto ok = check_manifests(a); !ok) return ok;
  return check_executor(a);
}

}  // namespace wh
