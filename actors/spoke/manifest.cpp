#include "actors/spoke/manifest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wh {
namespace {

constexpr int rank_other = 1000;

constexpr std::array kinds_by_rank = {
    std::pair{"PriorityClass", 0},
    std::pair{"Namespace", 0},
    std::pair{"CustomResourceDefinition", 0},
    std::pair{"StorageClass", 0},
    std::pair{"PersistentVolume", 0},
    std::pair{"PodSecurityPolicy", 0},
    std::pair{"ClusterRole", 1},
    std::pair{"ClusterRoleBinding", 1},
    std::pair{"Role", 1},
    std::pair{"RoleBinding", 1},
    std::pair{"NetworkPolicy", 2},
    std::pair{"ResourceQuota", 2},
    std::pair{"LimitRange", 2},
    std::pair{"PodDisruptionBudget", 2},
    std::pair{"ServiceAccount", 2},
    std::pair{"Secret", 3},
    std::pair{"ConfigMap", 3},
    std::pair{"PersistentVolumeClaim", 3},
    std::pair{"Service", 4},
    std::pair{"DaemonSet", 5},
    std::pair{"Pod", 5},
    std::pair{"ReplicationController", 5},
    std::pair{"ReplicaSet", 5},
    std::pair{"Deployment", 5},
    std::pair{"HorizontalPodAutoscaler", 5},
    std::pair{"StatefulSet", 5},
    std::pair{"Job", 5},
    std::pair{"CronJob", 5},
    std::pair{"APIService", 6},
    std::pair{"MutatingWebhookConfiguration", 6},
    std::pair{"ValidatingWebhookConfiguration", 6},
    std::pair{"ValidatingAdmissionPolicy", 6},
    std::pair{"ValidatingAdmissionPolicyBinding", 6},
};

/// `*` stands for any run of characters.
bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool identifier_matches(const document& rule, const resource_identifier& id) {
  return string_at(rule, {"group"}) == id.group && string_at(rule, {"resource"}) == id.resource &&
         wildcard_matches(string_at(rule, {"name"}), id.name) &&
         wildcard_matches(string_at(rule, {"namespace"}), id.ns);
}

/// The updateStrategy of the first manifestConfig that matches and names one, or null.
const document* find_strategy(const document& work, const resource_identifier& id) {
  const document* configs = find_path(work, {"spec", "manifestConfigs"});
  if (!configs || !configs->is_array()) return nullptr;
  for (const auto& config : *configs) {
    const document* rule = find_path(config, {"resourceIdentifier"});
    const bool names_one = !string_at(config, {"updateStrategy", "type"}).empty();
    if (rule && names_one && identifier_matches(*rule, id)) return &config["updateStrategy"];
  }
  return nullptr;
}

}  // namespace

int kind_rank(std::string_view kind) {
  const auto it =
      std::find_if(kinds_by_rank.begin(), kinds_by_rank.end(), [&](const auto& k) { return k.first == kind; });
  return it == kinds_by_rank.end() ? rank_other : it->second;
}

std::vector<manifest> manifests_of(const document& work) {
  std::vector<manifest> all;
  const document* list = find_path(work, {"spec", "workload", "manifests"});
  if (!list || !list->is_array()) return all;
  for (const auto& item : *list) {
    manifest m;
    m.ordinal = static_cast<int>(all.size());
    m.body = item;
    if (m.body.is_object() && m.body.contains("metadata") && m.body["metadata"].is_object()) {
      m.body["metadata"].erase("uid");
      m.body["metadata"].erase("resourceVersion");
    }
    m.object = {std::string(api_version(item)), std::string(kind_of(item)), std::string(namespace_of(item)),
                std::string(name_of(item))};
    all.push_back(std::move(m));
  }
  std::stable_sort(all.begin(), all.end(), [](const manifest& a, const manifest& b) {
    return kind_rank(a.object.kind) < kind_rank(b.object.kind);
  });
  return all;
}

update_strategy strategy_for(const document& work, const resource_identifier& id) {
  const document* strategy = find_strategy(work, id);
  const auto type = strategy ? string_at(*strategy, {"type"}) : "";
  if (type == "CreateOnly") return update_strategy::create_only;
  if (type == "ServerSideApply") return update_strategy::server_side_apply;
  if (type == "ReadOnly") return update_strategy::read_only;
  return update_strategy::update;
}

apply_options apply_options_for(const document& work, const resource_identifier& id) {
  apply_options out;
  const document* strategy = find_strategy(work, id);
  const document* given = strategy ? find_path(*strategy, {"serverSideApply"}) : nullptr;
  if (!given) return out;
  if (const auto manager = string_at(*given, {"fieldManager"}); !manager.empty()) out.manager = manager;
  out.force = bool_at(*given, {"force"}, false);
  const document* ignored = find_path(*given, {"ignoreFields"});
  if (ignored && ignored->is_array() && !ignored->empty()) out.ignored = *ignored;
  return out;
}

bool is_orphaned(const document& work, const resource_identifier& id) {
  const auto policy = string_at(work, {"spec", "deleteOption", "propagationPolicy"});
  if (policy == "Orphan") return true;
  if (policy != "SelectivelyOrphan") return false;
  const document* rules = find_path(work, {"spec", "deleteOption", "selectivelyOrphans", "orphaningRules"});
  return rules && rules->is_array() &&
         std::any_of(rules->begin(), rules->end(), [&](const document& rule) { return identifier_matches(rule, id); });
}

}  // namespace wh
