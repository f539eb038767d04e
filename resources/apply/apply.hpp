#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "resources/apply/managers.hpp"
#include "resources/schema.hpp"

namespace wh::apply {

/// How the versions of a kind differ in shape. What is owned in another version than the endpoint's is compared in that
/// version, so that a field keeps its owner whatever it is called elsewhere.
struct version_shapes {
  /// The schema of a version, or null if it is not served.
  std::function<const schema*(const std::string& api_version)> structure;
  std::function<document(document object, const std::string& from, const std::string& to)> convert;
};

/// The endpoint that a write comes through, and when: what owners need to know of it.
struct write_scope {
  const schema* structure = nullptr;
  std::string api_version;  ///< of the endpoint; documents are in it
  std::string subresource;  ///< "" for the object itself
  instant now;
  /// Top-level fields that this endpoint does not write (`status`), or the only one that it does. Nobody owns or loses
  /// fields by a write that cannot touch them.
  std::set<std::string> ignored;
  std::string only;
  /// Whether a version is still served; what is owned in one that is not, is forgotten. Absent: all are.
  std::function<bool(const std::string& api_version)> is_served;
  std::optional<version_shapes> shapes;  ///< absent: versions differ in their apiVersion only
};

/// A field that another manager owns and wants otherwise.
struct conflict {
  manager_id manager;
  path field;
};

/// What an apply makes of an object. With conflicts nothing else is filled in.
struct apply_outcome {
  document object;  ///< as `live`, with the configuration in it; metadata.managedFields left out
  managers owners;
  std::vector<conflict> conflicts;
};

/// Owners after a plain create, update or patch: the manager owns what it added or changed, the others lose it, all lose
/// what is gone. `before` is null for a create. metadata.managedFields of both is not looked at.
managers track_update(const document& before, const document& after, managers owners, const std::string& manager,
                      const write_scope& scope);

/// Server-side apply of a configuration to an object (null: there is none yet). What the manager applied before and leaves
/// out now goes, unless somebody else owns it. If nobody owned anything yet, `before-first-apply` owns what is there.
/// With `force` the manager takes what others own. errc::invalid if the configuration does not fit the schema,
/// errc::too_large beyond managers_max.
result<apply_outcome> apply_config(const document& live, const document& config, managers owners,
                                   const std::string& manager, bool force, const write_scope& scope);

/// `Apply failed with 1 conflict: conflict with "x": .spec.replicas`
std::string message_of(const std::vector<conflict>& conflicts);

/// Kubernetes' bound on plain updaters per object; the oldest are united beyond it.
inline constexpr std::size_t updaters_max = 10;

}  // namespace wh::apply
