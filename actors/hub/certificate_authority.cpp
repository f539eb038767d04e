#include "actors/hub/certificate_authority.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/csr_approval.hpp"
#include "actors/names.hpp"
#include "actors/shared/events.hpp"
#include "actors/shared/objects.hpp"
#include "base/encoding.hpp"

namespace wh {
namespace {

/// Certificates start a little in the past, for spokes whose clocks are behind (as Kubernetes' signer does).
constexpr duration clock_slack = std::chrono::minutes(5);
/// metav1: expirationSeconds is at least ten minutes.
constexpr std::int64_t life_seconds_min = 600;

/// How long a request is kept once it is decided, and undecided (as Kubernetes' csrcleaner), and how often that is looked at.
constexpr duration decided_max = std::chrono::hours(1);
constexpr duration pending_max = std::chrono::hours(24);
constexpr duration cleaning_period = std::chrono::minutes(10);

bool is_open(const document& csr) {
  return string_at(csr, {"spec", "signerName"}) == names::client_signer && condition_status(csr, "Denied") != "True" &&
         condition_status(csr, "Failed") != "True" && string_at(csr, {"status", "certificate"}).empty();
}
bool is_approved(const document& csr) { return condition_status(csr, "Approved") == "True"; }

result<crypto_port::csr_facts> facts_of(const document& csr, const context& ctx) {
  auto pem = from_base64(string_at(csr, {"spec", "request"}));
  if (!pem) return fail(errc::malformed, "spec.request is not base64");
  return ctx.crypto.inspect_csr(*pem);
}

result<std::string> sign(const certificate_authority& self, const document& csr, const crypto_port::csr_facts& facts,
                         const context& ctx) {
  if (auto ok = check_subject(csr, facts); !ok) return ok.err();
  duration life = self.life;
  if (const auto seconds = int_at(csr, {"spec", "expirationSeconds"}, 0); seconds > 0)
    life = std::min<duration>(life, std::chrono::seconds(std::max(seconds, life_seconds_min)));
  const auto pem = from_base64(string_at(csr, {"spec", "request"}));
  return ctx.crypto.sign_client(*pem, ctx.now - clock_slack, ctx.now + life);
}

void sign_approved(const certificate_authority& self, document& csr, const result<crypto_port::csr_facts>& facts,
                   const context& ctx, outbox& out) {
  auto certificate = facts ? sign(self, csr, *facts, ctx) : result<std::string>(facts.err());
  if (certificate) {
    csr["status"]["certificate"] = to_base64(*certificate);
  } else {
    set_condition(
        csr["status"]["conditions"],
        {.type = "Failed", .status = "True", .reason = "SignerValidationFailure", .message = certificate.err().message},
        ctx.now);
  }
  out.log(certificate ? note_level::info : note_level::warning,
          fmt::format("certificate signing request {}: {}", name_of(csr),
                      certificate ? "signed" : certificate.err().message));
}

/// About the cluster, not the request: one Event that counts, however often certificates are renewed.
void tell_of_approval(const document& csr, const context& ctx, outbox& out) {
  const object_key key{names::managed_clusters, "", std::string(label_of(csr, names::cluster_name_label))};
  const auto cluster = ctx.data.read(key);
  if (!cluster) return;
  const bool own = ctx.data.read({names::namespaces, "", key.name}).has_value();
  record_event(decode_stored(key, cluster->body), own ? key.name : "default", "registration-controller",
               {.reason = "ManagedClusterCSRAutoApproved",
                .message = fmt::format("managed cluster csr {} is auto approved by hub csr controller", name_of(csr)),
                .warning = false,
                .action = {}},
               ctx, out);
}

void decide(const certificate_authority& self, const object_key& key, const context& ctx, outbox& out) {
  auto csr = draft::open(key, ctx);
  if (!csr || csr->in_flight() || !is_open(csr->doc())) return;
  const bool ours = !label_of(csr->doc(), names::cluster_name_label).empty();
  if (!is_approved(csr->doc()) && !ours) return;
  const auto facts = facts_of(csr->doc(), ctx);
  if (!is_approved(csr->doc())) {
    const auto approved =
        facts ? approve_automatically(csr->doc(), *facts, self.settings, ctx) : std::optional<std::string>();
    if (!approved) return;
    tell_of_approval(csr->doc(), ctx, out);
  }
  sign_approved(self, csr->doc(), facts, ctx, out);
  out.writes.preconditions.push_back(at_revision{key, csr->rev()});
  csr->save(out);
}

void clean(const object_key& key, const document& csr, revision rev, const context& ctx, outbox& out) {
  const auto made = parse_rfc3339(string_at(csr, {"metadata", "creationTimestamp"}));
  const bool decided = !is_open(csr) || is_approved(csr);
  if (!made || *made + (decided ? decided_max : pending_max) > ctx.now) return;
  const auto* finalizers = find_path(csr, {"metadata", "finalizers"});
  if (finalizers && !finalizers->empty()) return;
  out.writes.preconditions.push_back(at_revision{key, rev});
  out.remove(key);
  out.log(note_level::debug, fmt::format("certificate signing request {} is old and goes", key.name));
}

}  // namespace

void restore(certificate_authority& self, const context& ctx, outbox& out) {
  for (const auto& r : ctx.data.list({names::csrs, "", ""})) decide(self, r.key, ctx, out);
  out.wake("clean", cleaning_period);
}

void on(certificate_authority& self, const object_changed& m, const context& ctx, outbox& out) {
  if (m.what.key.resource == names::csrs && m.what.body) decide(self, m.what.key, ctx, out);
}

void on(certificate_authority&, const timer_fired&, const context& ctx, outbox& out) {
  for (const auto& r : ctx.data.list({names::csrs, "", ""}))
    clean(r.key, decode_stored(r.key, r.body), r.rev, ctx, out);
  out.wake("clean", cleaning_period);
}

}  // namespace wh
