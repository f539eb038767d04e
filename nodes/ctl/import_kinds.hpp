#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"

namespace wh::ctl {

/// A kind that an import takes over.
struct imported_kind {
  std::string part;  ///< what --only calls it
  std::string kind;
  std::string plural;
  std::string group;
  std::vector<std::string> versions;  ///< that are read at the source, best first; the first is written here
  bool namespaced = false;
  std::size_t page = 500;  ///< objects that are read at a time

  /// The collection at a version; of all namespaces without `ns`.
  std::string path(std::string_view version, std::string_view ns = {}) const;
};

/// All of them, in the order in which they are created: what others need comes first.
const std::vector<imported_kind>& imported_kinds();
/// What --only may name.
std::vector<std::string> importable_parts();

/// Who makes works again by themselves, so that their works need not be taken.
struct import_owners {
  std::set<std::string> replica_sets = {};  ///< that are taken over: `namespace.name`
  bool take_owned = false;                  ///< take their works nevertheless, and those of add-ons
};

/// Why an object of the source is not taken; empty: it is.
std::string reason_to_leave_out(const imported_kind& kind, const document& object, const import_owners& owners);
/// What is lost of an object that is taken, in a few words; empty: nothing.
std::string what_is_lost(const imported_kind& kind, const document& object, const import_owners& owners);

/// The object as it is created here: the source's own metadata (uid, versions, owners, finalizers, deletion), its status,
/// and what controllers keep by themselves are left away; older versions are written as the newest.
document portable(const imported_kind& kind, const document& object);

/// `existing` with what `wanted` says: spec, labels and annotations. Of a ManagedCluster its acceptance and the taints that
/// the hub sets stay: who is let in here is not the source's to say.
document overwritten(const imported_kind& kind, const document& existing, const document& wanted);

/// Names of the fields in which `existing` differs from what is wanted, such as `spec.taints`. Labels and annotations that
/// are here and not wanted do not count, nor does what overwritten() keeps.
std::vector<std::string> differences(const imported_kind& kind, const document& existing, const document& wanted);

}  // namespace wh::ctl
