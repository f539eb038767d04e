#pragma once
#include "apiserver/status.hpp"

namespace wh {

struct api_call;

/// What RBAC is asked about a request.
access_question question_of(const api_call& call);

/// The refusal of a question that was answered with no, worded as Kubernetes words it.
api_error denial(const access_question& q);

}  // namespace wh
