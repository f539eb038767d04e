#pragma once
#include "apiserver/admission.hpp"

namespace wh {

/// Nobody grants what he does not hold: roles (who may `escalate` is exempt) and bindings (who may `bind` the role is).
answer<void> check_role(admission& a);
answer<void> check_binding(admission& a);

}  // namespace wh
