#pragma once
#include "apiserver/core.hpp"

namespace wh {

/// authentication.k8s.io UserInfo.
document user_document(const user_info& user);

/// Answers a POST to a virtual resource: access reviews and SelfSubjectReview. Nothing is stored.
void handle_review(const call_ptr& call, const virtual_resource& resource);

}  // namespace wh
