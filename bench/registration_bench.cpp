// What registration costs in processor time: a hub and its spokes as they are, with real keys and certificates, on one thread
// in virtual time, without sockets and TLS (handshake_bench measures those). Both ends' work is in every figure.
//
//   registration_bench [CLUSTERS]     default 1000
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include "actors/names.hpp"
#include "nodes/parts/openssl_crypto.hpp"
#include "sim/fleet.hpp"

using namespace wh;

namespace {

constexpr const char* csrs_path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* clusters_path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
/// Renewals come after 45 to 48 minutes: behind the other measurements, and soon, for what idles meanwhile is subtracted.
constexpr duration certificate_life = std::chrono::minutes(60);
constexpr int idle_minutes = 20;
constexpr int renewal_minutes = 30;

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

template <class F>
double cost_of(F f) {
  const double before = processor_seconds();
  f();
  return processor_seconds() - before;
}

peer_identity identify(const std::string& cert_pem) {
  const auto info = inspect_certificate(cert_pem).value();
  peer_identity peer;
  peer.has_certificate = true;
  peer.subj = info.subj;
  peer.public_key_sha256 = info.public_key_sha256;
  peer.not_before = info.not_before;
  peer.not_after = info.not_after;
  return peer;
}

fleet_options options_for(int clusters, const key_and_cert& ca) {
  fleet_options o;
  o.clusters = clusters;
  o.certificate_life = certificate_life;
  o.make_crypto = [ca](const std::string& node) -> std::unique_ptr<crypto_port> {
    return std::make_unique<openssl_crypto>(node == "hub" ? ca : key_and_cert{});
  };
  o.identify = identify;
  return o;
}

/// Approves and accepts everything that asks, as an administrator's script does.
void let_all_in(fleet& f) {
  const document list = f.request("GET", csrs_path).value();
  for (auto csr : list["items"]) {
    if (!condition_status(csr, "Approved").empty()) continue;
    set_condition(csr["status"]["conditions"], {.type = "Approved", .status = "True", .reason = "Bench", .message = ""},
                  f.world().now());
    (void)f.request("PUT", fmt::format("{}/{}/approval", csrs_path, name_of(csr)), csr);
    (void)f.request("PATCH", fmt::format("{}/{}", clusters_path, label_of(csr, names::cluster_name_label)),
                    {{"spec", {{"hubAcceptsClient", true}}}}, "application/merge-patch+json");
  }
}

int available(fleet& f) {
  const document list = f.request("GET", clusters_path).value();
  int count = 0;
  for (const auto& cluster : list["items"]) count += condition_status(cluster, names::available) == "True";
  return count;
}

/// The certificates in use, by what the hub notes of them.
std::set<std::string> certificates(fleet& f) {
  std::set<std::string> all;
  const document list = f.request("GET", clusters_path).value();
  for (const auto& cluster : list["items"]) all.emplace(annotation_of(cluster, names::key_annotation));
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const int clusters = argc > 1 ? std::atoi(argv[1]) : 1000;
  if (clusters < 1 || clusters > 100000) return fmt::print(stderr, "usage: registration_bench [CLUSTERS]\n"), 2;
  const auto now = instant(std::chrono::seconds(1767225600));
  const auto key = generate_key().value();
  const key_and_cert ca{
      key, make_ca_certificate(key, "bench", now - std::chrono::hours(24), now + std::chrono::hours(87600)).value()};
  fleet f(options_for(clusters, ca));

  f.start_hub();
  f.make_token(std::chrono::hours(24));
  const double joins = cost_of([&] {
    for (int i = 0; i < clusters; ++i) f.start_spoke(i);
    f.world().advance(std::chrono::seconds(5));
    let_all_in(f);
    f.world().advance(std::chrono::seconds(60));
  });
  if (available(f) != clusters) return fmt::print(stderr, "only {} of {} clusters joined\n", available(f), clusters), 1;
  fmt::print("registrations    {:8.0f} a second   {:.2f} ms each, both ends, token to Available\n", clusters / joins,
             1e3 * joins / clusters);

  const double idle = cost_of([&] { f.world().advance(std::chrono::minutes(idle_minutes)); });
  fmt::print("heartbeats       {:8.3f} % of a core for 1,000 clusters at 60 s, both ends with all their timers\n",
             100 * idle / (60.0 * idle_minutes) * 1000 / clusters);

  const auto before = certificates(f);
  const double rotation = cost_of([&] { f.world().advance(std::chrono::minutes(renewal_minutes)); });
  std::size_t renewed = 0;
  for (const auto& digest : certificates(f)) renewed += !before.contains(digest);
  const double beats = idle * renewal_minutes / idle_minutes;
  fmt::print("renewals         {:8.0f} of {}   {:.2f} ms each, both ends, heartbeats of the time taken off\n",
             static_cast<double>(renewed), clusters,
             1e3 * std::max(0.0, rotation - beats) / static_cast<double>(std::max<std::size_t>(renewed, 1)));
  return renewed == static_cast<std::size_t>(clusters) ? 0 : 1;
}
