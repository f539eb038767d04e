#pragma once
#include "apiserver/core.hpp"

namespace wh {

/// Takes an object that is about to be stored from the version of the request to the stored one: defaults and validation
/// of that version apply, too. `old` is the object as stored, null for a new one. Of a kind whose shapes differ the part
/// that the endpoint does not write stays as it is stored, so that what the asked version cannot show is not touched.
answer<void> to_stored_version(const api_call& call, const document* old, document& object);

}  // namespace wh
