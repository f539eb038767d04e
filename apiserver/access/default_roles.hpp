#pragma once
#include <vector>

#include "resources/document.hpp"

namespace wh {

/// Roles and bindings that every server has from its start, as Kubernetes': cluster-admin, admin, edit
/// and view with what they aggregate, and what everybody may read about the server. `hub` adds the kinds of Open Cluster
/// Management.
std::vector<document> default_access(bool hub);

/// A default object as it is to be stored over an existing one: what is missing is added, what a user has added stays,
/// and nothing changes where annotation rbac.authorization.kubernetes.io/autoupdate is "false". nullopt: nothing to do.
/// A binding that names another role comes back without uid: it is to be replaced as a whole.
std::optional<document> reconciled_access(const document& existing, const document& wanted);

}  // namespace wh
