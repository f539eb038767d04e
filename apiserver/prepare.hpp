#pragma once
#include "apiserver/body.hpp"

namespace wh {

/// Takes a decoded request body to the object that is to be stored: unknown fields, metadata, defaults, the kind's own
/// rules, validation. The result is in the stored version.
answer<document> prepare_create(api_call& call, const write_options& options, document doc);

/// The same for an update: what the subresource may not change, and what nobody may, comes from `old`, which is in the
/// asked version and carries its resourceVersion.
answer<document> prepare_update(api_call& call, const write_options& options, const document& old, document next);

/// The put of an object; a Namespace's phase goes along.
put put_of(const object_key& key, const document& doc, shared_bytes body);

}  // namespace wh
