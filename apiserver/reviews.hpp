#pragma once
#include "apiserver/core.hpp"

namespace wh {

/// Answers a POST to a virtual resource: access reviews and SelfSubjectReview. Nothing is stored.
void handle_review(const call_ptr& call, const virtual_resource& resource);

}  // namespace wh
