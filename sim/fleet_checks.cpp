#include <fmt/format.h>

#include <map>

#include "actors/names.hpp"
#include "sim/fleet.hpp"

namespace wh {
namespace {

std::map<std::string, document> documents_of(const store& s, const std::string& resource, const std::string& ns) {
  std::map<std::string, document> all;
  auto list = s.list({resource, ns, ""});
  if (!list) return all;
  for (const auto& r : list->records)
    if (auto doc = decode_record(r)) all.emplace(r.key.name, std::move(*doc));
  return all;
}

/// Every field of `wanted` is in `live` with that value; the cluster may have added more.
bool contains(const document& live, const document& wanted) {
  if (!wanted.is_object()) return live == wanted;
  if (!live.is_object()) return false;
  for (const auto& [key, value] : wanted.items())
    if (!live.contains(key) || !contains(live[key], value)) return false;
  return true;
}

std::string work_problem(const document& work) {
  const auto gen = generation_of(work).get();
  const document* conditions = find_path(work, {"status", "conditions"});
  const document* applied = conditions ? find_condition(*conditions, "Applied") : nullptr;
  if (!applied || string_at(*applied, {"status"}) != "True" || int_at(*applied, {"observedGeneration"}, 0) != gen)
    return fmt::format("work {}/{} is not reported as applied at generation {}", namespace_of(work), name_of(work),
                       gen);
  return {};
}

std::string objects_problem(fleet& f, int i, const document& work) {
  const document* manifests = find_path(work, {"spec", "workload", "manifests"});
  for (const auto& manifest : *manifests) {
    const std::string resource = kind_of(manifest) == "Namespace" ? "namespaces" : "configmaps";
    const object_key key{resource, std::string(namespace_of(manifest)), std::string(name_of(manifest))};
    auto live = f.cluster_store(i).get(key);
    if (!live || !*live) return fmt::format("{}: {} is missing", fleet::cluster_name(i), to_string(key));
    auto doc = decode_record(**live);
    if (!doc || !contains(*doc, manifest))
      return fmt::format("{}: {} differs from its manifest", fleet::cluster_name(i), to_string(key));
  }
  return {};
}

std::string cluster_problem(fleet& f, int i) {
  const auto cluster = fleet::cluster_name(i);
  const auto wanted = documents_of(f.hub_store(), names::manifest_works, cluster);
  const auto held = documents_of(f.agent_store(i), names::prescriptions, "");
  for (const auto& [name, work] : wanted) {
    const auto it = held.find(name);
    if (it == held.end()) return fmt::format("{} does not hold work {}", cluster, name);
    if (uid_of(it->second) != uid_of(work) || generation_of(it->second) != generation_of(work))
      return fmt::format("{} holds an old version of work {}", cluster, name);
    if (is_deleting(work)) return fmt::format("{}: work {} is still being deleted", cluster, name);
    if (auto p = work_problem(work); !p.empty()) return p;
    if (auto p = objects_problem(f, i, work); !p.empty()) return p;
  }
  for (const auto& [name, work] : held) {
    if (!wanted.contains(name)) return fmt::format("{} holds work {} that the hub does not have", cluster, name);
    if (namespace_of(work) != cluster) return fmt::format("{} holds work {} of {}", cluster, name, namespace_of(work));
  }
  return {};
}

}  // namespace

std::string convergence_problem(fleet& f) {
  for (int i = 0; i < f.clusters(); ++i)
    if (auto p = cluster_problem(f, i); !p.empty()) return p;
  return {};
}

}  // namespace wh
