#include "nodes/hub/link_settings.hpp"

#include <algorithm>

namespace wh {
namespace {

constexpr const char* group = "Network";

}  // namespace

void add_link_options(command& program, link_settings& s) {
  program.add({.name = "link-advertise",
               .value = "HOST:PORT",
               .help = "Address told to spokes, if another than link-listen; several are tried in turn",
               .group = group},
              s.advertise);
  program.add({.name = "link-handshakes",
               .value = "N",
               .help = "TLS handshakes of spokes under way at once; further spokes wait to be accepted",
               .group = group},
              s.handshakes);
  program.add({.name = "server-certificate-life",
               .value = "DURATION",
               .help = "Life of the hub's own server certificate, which it renews when a third is left",
               .group = group},
              s.server_certificate_life);
}

result<void> validate(const link_settings& s) {
  if (auto all = parse_host_ports(s.advertise); !all)
    return fail(errc::invalid, "--link-advertise: " + all.err().message);
  if (s.handshakes == 0 || s.handshakes > 10'000)
    return fail(errc::invalid, "--link-handshakes must be between 1 and 10000, not " + std::to_string(s.handshakes));
  if (s.server_certificate_life < std::chrono::seconds(10))
    return fail(errc::invalid, "--server-certificate-life must be at least 10s");
  return {};
}

std::vector<host_port> advertised(const link_settings& s, const host_port& at) {
  auto all = parse_host_ports(s.advertise);
  if (!all || all->empty()) return {at};
  for (auto& each : *all)
    if (each.port == 0) each.port = at.port;
  return *std::move(all);
}

instant renewal_due(instant made, duration life) { return made + life / 3 * 2; }

duration renewal_check_period(duration life) { return std::min<duration>(life / 12, std::chrono::hours(1)); }

}  // namespace wh
