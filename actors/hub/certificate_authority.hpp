#pragma once
#include "actors/actor.hpp"

namespace wh {

/// Signs approved CertificateSigningRequests of signer kubernetes.io/kube-apiserver-client. Approval is a person's (or
/// another controller's) decision; this actor only carries it out, and refuses what no approval may give.
struct certificate_authority {
  duration life = std::chrono::hours(24 * 365);  ///< of a certificate whose request names none
};

void restore(certificate_authority& self, const context& ctx, outbox& out);
void on(certificate_authority& self, const object_changed& m, const context& ctx, outbox& out);

}  // namespace wh
