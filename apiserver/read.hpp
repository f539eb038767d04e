#pragma once
#include "apiserver/core.hpp"

namespace wh {

void handle_get(const call_ptr& call);
void handle_list(const call_ptr& call);
/// Also serves a watch of one named object.
void handle_watch(const call_ptr& call);

}  // namespace wh
