#pragma once
#include "apiserver/admission.hpp"

namespace wh {

/// What the schema cannot say of roles and bindings, worded as Kubernetes words it. Adds field errors.
void check_role_shape(admission& a);
void check_binding_shape(admission& a);

}  // namespace wh
