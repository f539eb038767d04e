#pragma once
#include "nodes/common/options.hpp"

namespace wh {

/// Flags of the link that spokes use, and of the certificate that the hub shows on it and on its API.
struct link_settings {
  std::vector<std::string> advertise;  ///< addresses told to spokes; none: where it listens
  std::uint64_t handshakes = 128;      ///< under way at once
  duration server_certificate_life = std::chrono::hours(24 * 365);
};

void add_link_options(command& program, link_settings& s);
result<void> validate(const link_settings& s);

/// Of valid settings: what spokes are told of a link that listens at `at`. Port 0 stands for the port there.
std::vector<host_port> advertised(const link_settings& s, const host_port& at);

/// When a certificate made at `made` is to be replaced: a third of its life is left then.
instant renewal_due(instant made, duration life);
/// How often to look: by the wall clock, because a timer does not notice a machine's sleep.
duration renewal_check_period(duration life);

}  // namespace wh
