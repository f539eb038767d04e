#pragma once
#include <compare>
#include <map>

#include "resources/apply/field_set.hpp"

namespace wh::apply {

/// Who owns fields. Every version in which somebody updates counts as somebody else; an applier is one over all versions,
/// so that an apply in a new version replaces the earlier one.
struct manager_id {
  enum class operation_type { apply, update };
  std::string manager;
  operation_type operation = operation_type::update;
  std::string api_version;  ///< of updates; empty for apply
  std::string subresource;
  auto operator<=>(const manager_id&) const = default;
};

/// What one manager owns.
struct ownership {
  field_set fields;
  std::string api_version;  ///< that the fields are written in
  std::string time;         ///< RFC 3339, as it was read; empty: none
};

using managers = std::map<manager_id, ownership>;

/// Bound on the managers of one object. Every write looks at all that they own.
inline constexpr std::size_t managers_max = 500;

/// Reads metadata.managedFields. An entry without operation or apiVersion, of another fieldsType or with broken fields
/// makes the whole list an error, and so do too many of them.
result<managers> parse_managers(const document& managed_fields);
/// metadata.managedFields in Kubernetes' order: appliers first, then by time and name. Null when nobody owns anything.
document managed_fields_of(const managers& owners);

/// True if a client asks to forget all owners: `[]` or `[{}]`.
bool is_reset(const document& managed_fields);
/// True if two lists say the same, whenever it was said.
bool same_but_for_times(const document& a, const document& b);

/// `"kubectl-edit" using apps/v1`: how conflicts name a manager.
std::string text_of(const manager_id& id);

}  // namespace wh::apply
