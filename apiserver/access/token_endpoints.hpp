#pragma once
#include "apiserver/admission.hpp"

namespace wh {

/// POST serviceaccounts/NAME/token: a TokenRequest, answered with a token.
void handle_token_request(const call_ptr& call);
/// TokenReview: whom does this token speak for?
void answer_token_review(const call_ptr& call, document doc);
/// /.well-known/openid-configuration and /openid/v1/jwks; false: it is another path.
bool serve_issuer_documents(const call_ptr& call);
/// Fills a new Secret of type kubernetes.io/service-account-token with a token that lives as long as it does.
answer<void> fill_token_secret(admission& a);

}  // namespace wh
