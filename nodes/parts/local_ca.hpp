#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "transport/net.hpp"
#include "transport/pki.hpp"

namespace wh {

/// A node's own certificate authority, kept as `ca.key` (0600) and `ca.crt` in a folder. Made on first use. One that cannot
/// be used is refused in words that name the file and the cure: unreadable, readable by everybody, damaged, key and
/// certificate of two CAs, too weak, expired or not begun. What is issued here begins a day and an hour ago, so that peers
/// whose clocks are behind believe it.
result<key_and_cert> open_local_ca(const std::string& folder, const std::string& common_name, instant now);

inline constexpr duration server_certificate_life = std::chrono::hours(24 * 365);

/// A server certificate for the names and addresses that clients use; made anew at each start.
result<key_and_cert> make_server_identity(const key_and_cert& ca, const std::vector<std::string>& names, instant now,
                                          duration life = server_certificate_life);

/// An administrator's certificate (group system:masters).
result<key_and_cert> make_admin_identity(const key_and_cert& ca, const std::string& user, instant now);

/// TLS of a server that asks for client certificates of this CA and sends the CA along, so that clients can pin it.
tls_config server_tls(const key_and_cert& ca, const key_and_cert& identity, bool tls13_only);

}  // namespace wh
