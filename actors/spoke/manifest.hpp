#pragma once
#include <string>
#include <vector>

#include "messages/actor_messages.hpp"
#include "resources/document.hpp"

namespace wh {

/// One manifest of a work, with what is known of it before the cluster is asked.
struct manifest {
  int ordinal = 0;  ///< index in spec.workload.manifests; the status speaks of this one
  document body;    ///< uid and resourceVersion dropped
  cluster_object object;
};

/// Manifests of a ManifestWork in the order in which they are applied: by kind rank, then as listed.
std::vector<manifest> manifests_of(const document& work);

/// Rank of a kind by its name alone (work spec 3.1; ocm: pkg/work/spoke/controllers/manifestcontroller).
int kind_rank(std::string_view kind);

enum class update_strategy { update, create_only, server_side_apply, read_only };

/// Names a manifest as manifestConfigs and orphaning rules do.
struct resource_identifier {
  std::string group;
  std::string resource;
  std::string ns;
  std::string name;
};

/// The update strategy that a work's manifestConfigs give to one of its manifests (the first match that names one).
update_strategy strategy_for(const document& work, const resource_identifier& id);

/// How a manifest of strategy ServerSideApply is applied.
struct apply_options {
  std::string manager = "work-agent";
  bool force = false;
  document ignored;  ///< ignoreFields; null: none
};
apply_options apply_options_for(const document& work, const resource_identifier& id);

/// Whether the work's deleteOption leaves this object in place when the work no longer wants it.
bool is_orphaned(const document& work, const resource_identifier& id);

}  // namespace wh
