#include "nodes/spoke/cluster_facts.hpp"

#include "resources/document.hpp"
#include "resources/quantity.hpp"

namespace wh {
namespace {

constexpr const char* nodes = "nodes";
constexpr const char* cluster_claims = "clusterclaims.cluster.open-cluster-management.io";
constexpr const char* cluster_properties = "clusterproperties.about.k8s.io";
constexpr const char* spoke_only = "open-cluster-management.io/spoke-only";

void count_nodes(cluster_facts& facts, const std::vector<record>& records) {
  for (const auto& r : records) {
    const auto node = decode_record(r);
    if (!node) continue;
    add_quantities(facts.capacity, find_path(*node, {"status", "capacity"}));
    // allocatable counts schedulable nodes only (registration spec 7.2)
    if (!bool_at(*node, {"spec", "unschedulable"}, false))
      add_quantities(facts.allocatable, find_path(*node, {"status", "allocatable"}));
  }
}

/// Later calls win over earlier ones.
result<void> read_claims(cluster_facts& facts, const store& cluster, const char* resource) {
  const auto found = cluster.list({resource, "", ""});
  if (!found) return found.err();
  for (const auto& r : found->records) {
    const auto claim = decode_record(r);
    if (!claim) continue;
    const document* labels = find_path(*claim, {"metadata", "labels"});
    if (labels && labels->is_object() && labels->contains(spoke_only)) continue;
    facts.claims[r.key.name] = string_at(*claim, {"spec", "value"});
  }
  return {};
}

result<void> read_objects(cluster_facts& facts, const store& cluster, const claim_gates& gates) {
  const auto found = cluster.list({nodes, "", ""});
  if (!found) return found.err();
  count_nodes(facts, found->records);
  if (!gates.cluster_claim) return {};
  if (auto ok = read_claims(facts, cluster, cluster_claims); !ok) return ok;
  return gates.cluster_property ? read_claims(facts, cluster, cluster_properties) : result<void>();
}

}  // namespace

cluster_facts read_facts(const store& cluster, const claim_gates& gates) {
  cluster_facts facts;
  facts.kubernetes_version = std::string(embedded_kubernetes_version);
  // As its /livez says: a store that cannot be written makes an API server that cannot be used.
  if (const auto health = cluster.health(); !health.writable) {
    facts.healthy = false;
    facts.message = "the cluster's store cannot be written: " + health.reason;
    return facts;
  }
  if (auto ok = read_objects(facts, cluster, gates); !ok) {
    facts.healthy = false;
    facts.message = ok.err().message;
  }
  return facts;
}

bool concerns_facts(const std::string& resource, const claim_gates& gates) {
  if (resource == nodes) return true;
  return gates.cluster_claim &&
         (resource == cluster_claims || (gates.cluster_property && resource == cluster_properties));
}

}  // namespace wh
