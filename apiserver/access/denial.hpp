#pragma once
#include "apiserver/status.hpp"

namespace wh {

/// The refusal of a question that was answered with no, worded as Kubernetes words it.
api_error denial(const access_question& q);

}  // namespace wh
