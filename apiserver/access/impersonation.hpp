#pragma once
#include "apiserver/core.hpp"

namespace wh {

/// Takes on the identity that the request's Impersonate headers name, if its user may. The Status to answer with if not.
answer<void> impersonate(api_call& call);

}  // namespace wh
