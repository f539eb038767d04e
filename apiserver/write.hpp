#pragma once
#include "apiserver/core.hpp"

namespace wh {

void handle_create(const call_ptr& call);
/// PUT of an object or a subresource.
void handle_update(const call_ptr& call);
void handle_patch(const call_ptr& call);
void handle_delete(const call_ptr& call);
void handle_delete_collection(const call_ptr& call);

/// Runs of a write that loses against others, before the client hears of the conflict.
inline constexpr int conflict_tries = 5;

}  // namespace wh
