#pragma once
#include "apiserver/body.hpp"

namespace wh {

/// Takes a decoded request body to the object that is to be stored: unknown fields, metadata, defaults, the kind's own
/// rules, validation. The result is in the stored version.
answer<document> prepare_create(api_call& call, const write_options& options, document doc);

/// The same for an update: what the subresource may not change, and what nobody may, comes from `old`, which is in the
/// asked version and carries its resourceVersion; `stored` is the same object as it is stored, needed only where versions
/// differ in shape.
answer<document> prepare_update(api_call& call, const write_options& options, const document& old,
                                const document& stored, document next);

/// Its stored form. One that is larger than a request body may be is refused, unless it was larger before (`old_bytes`, 0
/// for a new one): a patch can let an object grow beyond what was sent, and again, without end.
answer<shared_bytes> stored_form(const document& doc, std::size_t old_bytes);

/// The put of an object; a Namespace's phase goes along.
put put_of(const object_key& key, const document& doc, shared_bytes body);

}  // namespace wh
