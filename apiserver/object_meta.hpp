#pragma once
#include <string>
#include <vector>

#include "apiserver/core.hpp"

namespace wh {

/// Brings metadata into its stored shape: a JSON object of known, correctly typed, non-empty fields. Unknown ones are
/// dropped and added to `unknown`; a wrong type is 400, as where Kubernetes fails to decode. managedFields is dropped:
/// take it out before.
answer<void> normalize_metadata(const kind_info& kind, document& doc, std::vector<std::string>& unknown);

/// Takes metadata.managedFields out of a client's object, as sent; null if it sent none. 400 for a wrong type.
answer<document> take_managed_fields(const kind_info& kind, document& doc);

/// Name, namespace, uid, creationTimestamp and generation of a new object.
answer<void> stamp_new(api_call& call, document& doc);

/// The refusal of an object whose name is not the path's.
api_error name_mismatch(const api_call& call, std::string_view name);

/// Holds an update to what may change: fills in what the server owns, refuses what is immutable.
answer<void> carry_metadata(const api_call& call, const document& old, document& next,
                            std::vector<field_error>& errors);

/// Raises metadata.generation if anything besides metadata and status changed.
void count_generation(const kind_info& kind, const document& old, document& next);

/// True if an object that is being deleted has nothing left to wait for.
bool is_released(const object_key& key, const document& doc);

}  // namespace wh
