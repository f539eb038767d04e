#include "nodes/spoke/spoke_flags.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/common/files.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "nodes/spoke/hub_proxy.hpp"

namespace wh {
namespace {

constexpr std::string_view annotation_prefix = "agent.open-cluster-management.io/";
constexpr std::size_t urls_max = 100;
constexpr std::size_t annotation_bytes_max = 4096;

void add_joining_flags(command& program, spoke_options& o, spoke_flags& flags) {
  const auto joining = [](const char* name, const char* value, const char* help) {
    return option_info{.name = name, .value = value, .help = help, .group = "Joining"};
  };
  program.add(joining("cluster-name", "NAME", "Name of this cluster on the hub (first start)"), o.flags.cluster_name);
  program.add(joining("hub", "HOST:PORT", "Link address of the hub (first start); several are tried in turn"),
              flags.hubs);
  auto token = joining("token", "TOKEN", "Bootstrap token from: whctl get token (first start, and to join again)");
  token.secret = true;
  program.add(std::move(token), o.flags.token);
  program.add(joining("ca-pin", "sha256:HEX", "Pin of the hub's CA (first start)"), o.flags.ca_pin);
  add_proxy_options(program, o.flags.proxy);
  program.add(joining("cluster-url", "URL", "https URL of this cluster's own API, told to the hub; may be repeated"),
              flags.cluster_urls);
  program.add(joining("cluster-ca", "FILE", "Certificate authority of the cluster URLs (PEM), told to the hub"),
              flags.cluster_ca_file);
  program.add(joining("cluster-annotation", "KEY=VALUE",
                      "Annotation agent.open-cluster-management.io/… of the ManagedCluster; may be repeated"),
              flags.annotations);
}

void add_claim_flags(command& program, spoke_options& o, spoke_flags& flags) {
  program.add({.name = "reserved-cluster-claim-suffixes",
               .value = "SUFFIX",
               .help = "Claims whose names end so are always reported; at most 10",
               .group = "Claims"},
              o.claims.reserved_suffixes);
  program.add({.name = "max-custom-cluster-claims",
               .value = "N",
               .help = "How many claims are reported beside the reserved ones",
               .group = "Claims"},
              flags.custom_claims_max);
  program.add({.name = "feature-gates",
               .value = "NAME=BOOL",
               .help = "ClusterClaim (true by default) and ClusterProperty (false by default)",
               .group = "Claims"},
              flags.gates);
}

result<void> read_urls(const spoke_flags& flags, std::map<std::string, std::string>& to) {
  std::string ca;
  if (!flags.cluster_ca_file.empty()) {
    if (flags.cluster_urls.empty()) return fail(errc::invalid, "--cluster-ca: there is no --cluster-url");
    auto read = read_file(flags.cluster_ca_file, std::size_t{1} << 20);
    if (!read) return fail(errc::invalid, "--cluster-ca: " + read.err().message);
    if (read->find("-----BEGIN CERTIFICATE-----") == std::string::npos)
      return fail(errc::invalid, fmt::format("--cluster-ca: {} holds no certificate in PEM", flags.cluster_ca_file));
    ca = *read;
  }
  // All of a join request must fit into one small frame, as the hub takes it from a stranger.
  if (ca.size() * std::max<std::size_t>(flags.cluster_urls.size(), 1) > 32 * 1024)
    return fail(errc::invalid, "--cluster-ca: the authority is more than 32 KiB, over all URLs");
  if (flags.cluster_urls.size() > urls_max)
    return fail(errc::invalid, fmt::format("--cluster-url: at most {}", urls_max));
  for (const auto& url : flags.cluster_urls) {
    if (auto ok = parse_server_url(url); !ok)
      return fail(errc::invalid, fmt::format("--cluster-url {}: {}", url, ok.err().message));
    to[url] = ca;
  }
  return {};
}

result<void> read_annotations(const std::vector<std::string>& texts, std::map<std::string, std::string>& to) {
  for (const auto& text : texts) {
    const auto at = text.find('=');
    const std::string key = text.substr(0, at);
    if (at == std::string::npos || !key.starts_with(annotation_prefix) || key.size() == annotation_prefix.size() ||
        key.size() > annotation_prefix.size() + 63 || text.size() > annotation_bytes_max)
      return fail(errc::invalid, fmt::format("--cluster-annotation {}: must be {}NAME=VALUE, at most {} characters",
                                             text.substr(0, 100), annotation_prefix, annotation_bytes_max));
    to[key] = text.substr(at + 1);
  }
  return {};
}

result<void> read_gates(const std::vector<std::string>& texts, claim_gates& gates) {
  for (const auto& text : texts) {
    const auto at = text.find('=');
    const std::string name = text.substr(0, at);
    const std::string value = at == std::string::npos ? "" : text.substr(at + 1);
    bool* gate = name == "ClusterClaim"      ? &gates.cluster_claim
                 : name == "ClusterProperty" ? &gates.cluster_property
                                             : nullptr;
    if (!gate)
      return fail(errc::invalid,
                  fmt::format("--feature-gates: {} is unknown; there are ClusterClaim and ClusterProperty", name));
    if (value != "true" && value != "false")
      return fail(errc::invalid, fmt::format("--feature-gates: {} must be true or false", name));
    *gate = value == "true";
  }
  return {};
}

}  // namespace

void add_spoke_flags(command& program, spoke_options& o, spoke_flags& flags) {
  program.add({.name = "data-dir", .value = "DIR", .help = "Folder for everything the spoke keeps", .required = true},
              o.data_dir);
  add_joining_flags(program, o, flags);
  program.add({.name = "cluster",
               .value = "KIND",
               .help = "The cluster to manage",
               .group = "Cluster",
               .choices = {"embedded"}},
              o.cluster);
  program.add({.name = "cluster-listen",
               .value = "HOST:PORT",
               .help = "Where the embedded cluster's API listens; port 0: any free",
               .group = "Cluster"},
              o.cluster_listen);
  add_claim_flags(program, o, flags);
}

result<void> read_flags(const spoke_flags& flags, spoke_options& options) {
  options.claims.custom_max = static_cast<std::size_t>(std::min<std::uint64_t>(flags.custom_claims_max, claims_max));
  if (flags.custom_claims_max > claims_max)
    return fail(errc::invalid, fmt::format("--max-custom-cluster-claims: at most {}", claims_max));
  for (const auto& hub : flags.hubs) options.flags.hub += (options.flags.hub.empty() ? "" : ",") + hub;
  if (auto ok = read_urls(flags, options.flags.client_configs); !ok) return ok;
  if (auto ok = read_annotations(flags.annotations, options.flags.annotations); !ok) return ok;
  return read_gates(flags.gates, options.gates);
}

}  // namespace wh
