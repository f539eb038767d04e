#pragma once
#include "actors/actor.hpp"
#include "actors/hub/managed_cluster.hpp"

namespace wh {

/// Signs approved CertificateSigningRequests of signer kubernetes.io/kube-apiserver-client. Approval is a person's (or
/// another controller's) decision, but for what csr_approval.hpp names; this actor carries it out, refuses what no approval
/// may give, and takes requests away that nobody needs any more.
struct certificate_authority {
  duration life = std::chrono::hours(24 * 365);  ///< of a certificate whose request names none
  registration_settings settings = {};
};

void restore(certificate_authority& self, const context& ctx, outbox& out);
void on(certificate_authority& self, const object_changed& m, const context& ctx, outbox& out);
void on(certificate_authority& self, const timer_fired& m, const context& ctx, outbox& out);

}  // namespace wh
