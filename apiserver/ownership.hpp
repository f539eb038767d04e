#pragma once
#include "apiserver/body.hpp"
#include "resources/apply/apply.hpp"

namespace wh {

/// Who a write's fields belong to: the fieldManager parameter, else the client's program (user agent up to the first
/// slash), else `unknown`. 422 for a name that Kubernetes would not take; `apply` must name its manager.
answer<std::string> field_manager_of(const api_call& call, bool apply);

/// The force parameter, which only an apply may have.
answer<bool> force_of(const api_call& call, bool apply);

/// What the call's endpoint writes of its bodies. Refers to the call.
apply::write_scope scope_of(const api_call& call);

/// The owners that an object names; none where it has none or they are broken. `object` may be null.
apply::managers owners_of(const document* object);

/// Sets metadata.managedFields of `next` after a plain write; `old` is null for a create. Objects that nobody owned when
/// they were made stay without owners until somebody applies. `sent` is what the client wrote of managedFields: broken
/// lists count as not sent, `[]` and `[{}]` forget all owners.
void track_owners(const api_call& call, const write_options& options, const document* old, document& next,
                  const document& sent);

/// Puts an apply's owners (as apply_to_object() left them) into the finished object. Where nothing but their times
/// changed, the old ones stay, so that the write can be seen to change nothing.
void keep_owners(const document* old, document& next, document owners);

/// Reads the configuration of an apply: YAML or JSON, of the path's kind and version, without managedFields.
answer<document> read_configuration(const api_call& call);

/// Server-side apply of a configuration; `old` is null when there is no object yet. The result carries its owners in
/// metadata.managedFields. 409 with a cause for each conflict.
answer<document> apply_to_object(const api_call& call, const write_options& options, const document* old,
                                 const document& configuration);

}  // namespace wh
