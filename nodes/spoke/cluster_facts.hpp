#pragma once
#include "messages/actor_messages.hpp"
#include "persistence/store.hpp"

namespace wh {

/// Which kinds of claims are read from a cluster; the names are OCM's feature gates.
struct claim_gates {
  bool cluster_claim = true;      ///< off: no claims at all
  bool cluster_property = false;  ///< about.k8s.io wins over a ClusterClaim of the same name
};

/// What the agent is told of an embedded cluster: health of its store, sums over its Nodes, its claims.
cluster_facts read_facts(const store& cluster, const claim_gates& gates);

/// Whether a change of an object of this resource may change what read_facts() gives.
bool concerns_facts(const std::string& resource, const claim_gates& gates);

}  // namespace wh
