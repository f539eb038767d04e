#pragma once
#include <functional>

#include "apiserver/audit/audit.hpp"
#include "nodes/hub/link_host.hpp"
#include "transport/refused_client.hpp"

namespace wh {

/// Writes what the link refuses into the audit log, as the API's refusals are: who came from where, for which cluster, and
/// why not. `trail` may be null. Thread-safe.
std::function<void(const link_refusal&)> audit_of_links(audit_trail* trail, std::function<instant()> now);

/// The same of clients whose certificates are refused within the TLS handshake, by the API's port or the link's: as a
/// connection of system:anonymous, since nothing is proven, to /tls. At most 100 lines in ten seconds; the next one says how
/// many were left out.
refused_client_function audit_of_handshakes(audit_trail* trail, std::function<instant()> now);

}  // namespace wh
