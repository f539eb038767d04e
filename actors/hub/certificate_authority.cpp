#include "actors/hub/certificate_authority.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"
#include "base/encoding.hpp"

namespace wh {
namespace {

/// Certificates start a little in the past, for spokes whose clocks are behind (as Kubernetes' signer does).
constexpr duration clock_slack = std::chrono::minutes(5);
/// metav1: expirationSeconds is at least ten minutes.
constexpr std::int64_t life_seconds_min = 600;

bool is_waiting(const document& csr) {
  return string_at(csr, {"spec", "signerName"}) == names::client_signer &&
         condition_status(csr, "Approved") == "True" && condition_status(csr, "Denied") != "True" &&
         condition_status(csr, "Failed") != "True" && string_at(csr, {"status", "certificate"}).empty();
}

/// What no approval may give: the administrators' group, and for a cluster's request any identity but the cluster's own.
result<void> check_subject(const document& csr, const crypto_port::csr_facts& facts) {
  const auto& groups = facts.organizations;
  if (std::find(groups.begin(), groups.end(), "system:masters") != groups.end())
    return fail(errc::forbidden, "group system:masters cannot be signed for");
  const std::string cluster(label_of(csr, names::cluster_name_label));
  const bool claims_cluster =
      facts.common_name.starts_with(names::user_prefix) ||
      std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g.starts_with(names::user_prefix); });
  if (!claims_cluster) return {};
  const std::string prefix = names::cluster_group(cluster) + ":";
  const bool whole = !cluster.empty() && facts.common_name.starts_with(prefix) &&
                     facts.common_name.size() > prefix.size() &&
                     facts.common_name.find(':', prefix.size()) == std::string::npos;
  const bool own_groups = std::count(groups.begin(), groups.end(), names::cluster_group(cluster)) == 1 &&
                          std::all_of(groups.begin(), groups.end(), [&](const auto& g) {
                            return g == names::cluster_group(cluster) || g == names::clusters_group;
                          });
  if (!whole || !own_groups)
    return fail(errc::forbidden,
                fmt::format("subject {} is not the identity of cluster {}", facts.common_name, cluster));
  return {};
}

result<std::string> sign(const certificate_authority& self, const document& csr, const context& ctx) {
  auto pem = from_base64(string_at(csr, {"spec", "request"}));
  if (!pem) return fail(errc::malformed, "spec.request is not base64");
  auto facts = ctx.crypto.inspect_csr(*pem);
  if (!facts) return facts.err();
  if (auto ok = check_subject(csr, *facts); !ok) return ok.err();
  duration life = self.life;
  if (const auto seconds = int_at(csr, {"spec", "expirationSeconds"}, 0); seconds > 0)
    life = std::min<duration>(life, std::chrono::seconds(std::max(seconds, life_seconds_min)));
  return ctx.crypto.sign_client(*pem, ctx.now - clock_slack, ctx.now + life);
}

void sign_if_approved(const certificate_authority& self, const object_key& key, const context& ctx, outbox& out) {
  auto csr = draft::open(key, ctx);
  if (!csr || csr->in_flight() || !is_waiting(csr->doc())) return;
  auto certificate = sign(self, csr->doc(), ctx);
  if (certificate) {
    csr->doc()["status"]["certificate"] = to_base64(*certificate);
  } else {
    set_condition(
        csr->doc()["status"]["conditions"],
        {.type = "Failed", .status = "True", .reason = "SignerValidationFailure", .message = certificate.err().message},
        ctx.now);
  }
  out.log(
      certificate ? note_level::info : note_level::warning,
      fmt::format("certificate signing request {}: {}", key.name, certificate ? "signed" : certificate.err().message));
  out.writes.preconditions.push_back(at_revision{key, csr->rev()});
  csr->save(out);
}

}  // namespace

void restore(certificate_authority& self, const context& ctx, outbox& out) {
  for (const auto& r : ctx.data.list({names::csrs, "", ""})) sign_if_approved(self, r.key, ctx, out);
}

void on(certificate_authority& self, const object_changed& m, const context& ctx, outbox& out) {
  if (m.what.key.resource == names::csrs && m.what.body) sign_if_approved(self, m.what.key, ctx, out);
}

}  // namespace wh
