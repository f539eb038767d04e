#pragma once
#include "actors/actor.hpp"
#include "actors/owners.hpp"
#include "resources/document.hpp"

namespace wh {

/// Deletes an object as the API would: without finalizers it goes, with some it is marked. Decided by its owner where it
/// has one (which may refuse: the caller looks again later), else written by the caller, on the revision that it read.
void delete_object(const record& r, const document& doc, const owner_lookup& owners, const context& ctx, outbox& out);

/// Writes a changed version of an object, the same way.
void replace_object(const record& r, const document& changed, const owner_lookup& owners, const context& ctx,
                    outbox& out);

}  // namespace wh
