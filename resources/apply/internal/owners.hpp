#pragma once
#include "resources/apply/apply.hpp"
#include "resources/apply/place.hpp"

namespace wh::apply::internal {

/// The object without metadata.managedFields, which nobody owns.
document without_owners(document object);

/// The part of a set that the scope's endpoint writes.
field_set in_scope(const field_set& s, const write_scope& scope);
/// A set without what is never owned: apiVersion, kind and what the server says in metadata.
field_set trackable(const field_set& s);

comparison change_between(const document& before, const document& after, const place& root, const write_scope& scope);

/// Drops owners of versions that are gone, and brings sets up to the schema.
void modernize(managers& owners, const place& root, const write_scope& scope);

/// What owners other than `self` lose because it changes or comes anew.
managers taken_by(const comparison& change, const managers& owners, const manager_id& self);
/// Takes what changed, came or went from all but `self` (null: from all); who is left with nothing is dropped.
void give_up(managers& owners, const comparison& change, const manager_id* self);

}  // namespace wh::apply::internal
