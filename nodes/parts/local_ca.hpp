#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "transport/net.hpp"
#include "transport/pki.hpp"

namespace wh {

/// A node's own certificate authority, kept as `ca.key` (0600) and `ca.crt` in a folder. Made on first use.
result<key_and_cert> open_local_ca(const std::string& folder, const std::string& common_name, instant now);

/// A server certificate for the names and addresses that clients use; made anew at each start.
result<key_and_cert> make_server_identity(const key_and_cert& ca, const std::vector<std::string>& names, instant now);

/// An administrator's certificate (group system:masters).
result<key_and_cert> make_admin_identity(const key_and_cert& ca, const std::string& user, instant now);

/// TLS of a server that asks for client certificates of this CA and sends the CA along, so that clients can pin it.
tls_config server_tls(const key_and_cert& ca, const key_and_cert& identity, bool tls13_only);

}  // namespace wh
