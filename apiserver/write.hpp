#pragma once
#include <functional>

#include "apiserver/body.hpp"

namespace wh {

void handle_create(const call_ptr& call);
/// An apply to an object that is not there. `exists` runs instead of an answer when somebody else was quicker.
void create_by_apply(const call_ptr& call, const write_options& options, document configuration,
                     std::function<void(const api_error&)> exists);
/// The same for a PUT, where the kind allows it.
void create_by_update(const call_ptr& call, const write_options& options, document object,
                      std::function<void(const api_error&)> exists);
/// PUT of an object or a subresource.
void handle_update(const call_ptr& call);
void handle_patch(const call_ptr& call);
void handle_delete(const call_ptr& call);
void handle_delete_collection(const call_ptr& call);

/// Runs of a write that loses against others, before the client hears of the conflict.
inline constexpr int conflict_tries = 5;

}  // namespace wh
