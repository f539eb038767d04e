// How the cluster gets its identity: the first certificate, and each next one.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/names.hpp"
#include "base/encoding.hpp"
#include "resources/cluster_set.hpp"

namespace wh {

using namespace cluster_detail;

namespace {

/// The CSR of a key has a fixed name, so that asking again after any crash finds the same request.
std::string csr_name_of(const managed_cluster& self, const std::string& key_sha256) {
  return self.name + "-" + key_sha256.substr(0, 10);
}

void refuse_join(const join_asked& m, errc code, std::string why, outbox& out) {
  out.log(note_level::warning, fmt::format("join from {} refused: {}", m.remote, why));
  refuse_session(m.session, code, std::move(why), true, out);
}

document new_csr(const managed_cluster& self, const std::string& csr_pem, const std::string& name,
                 const std::string& user, std::vector<std::string> groups, const context& ctx) {
  document csr = new_object(ctx, "certificates.k8s.io/v1", "CertificateSigningRequest", "", name);
  csr["metadata"]["labels"] = {{names::cluster_name_label, self.name}};
  csr["spec"] = {{"request", to_base64(csr_pem)},
                 {"signerName", names::client_signer},
                 {"usages", {"digital signature", "key encipherment", "client auth"}},
                 {"username", user},
                 {"groups", std::move(groups)}};
  csr["status"] = document::object();  // approvers set its conditions
  return csr;
}

/// What has become of a request.
struct csr_answer {
  std::string certificate;  ///< PEM, once signed
  std::string refusal;      ///< why not, once decided against
};

csr_answer read_answer(const document& csr) {
  csr_answer answer;
  if (auto certificate = from_base64(string_at(csr, {"status", "certificate"}))) answer.certificate = *certificate;
  const auto* conditions = find_path(csr, {"status", "conditions"});
  for (const char* type : {"Denied", "Failed"}) {
    const auto* c = conditions ? find_condition(*conditions, type) : nullptr;
    if (!c || !answer.certificate.empty()) continue;
    answer.refusal = fmt::format(
        "certificate signing request {} was {} on the hub{}{}; its administrator can delete it "
        "(kubectl delete csr {}) to let this cluster ask again",
        name_of(csr), std::string_view(type) == "Denied" ? "denied" : "not signed",
        string_at(*c, {"message"}).empty() ? "" : ": ", string_at(*c, {"message"}), name_of(csr));
  }
  return answer;
}

/// A certificate that has expired, or is about to, helps nobody who asks now.
bool is_spent(const document& csr, const context& ctx) {
  const auto answer = read_answer(csr);
  if (answer.certificate.empty()) return false;
  const auto facts = ctx.crypto.inspect_certificate(answer.certificate);
  return !facts || facts->not_after <= ctx.now + std::chrono::minutes(1);
}

/// What the CSR's state means for the one who waits. True when the wait is over.
bool answer_applicant(managed_cluster& self, const document& csr, const context& ctx, outbox& out) {
  const auto session = session_address(self.waiting->session);
  auto answer = read_answer(csr);
  if (!answer.certificate.empty()) {
    out.send(session,
             send_to_spoke{.frame = join_certificate{answer.certificate, ctx.crypto.ca_pem()}, .then_close = true});
    return true;
  }
  if (!answer.refusal.empty()) {
    out.send(session, send_to_spoke{.frame = refused{.code = errc::forbidden,
                                                     .message = std::move(answer.refusal),
                                                     .retry_after = std::chrono::seconds(30),
                                                     .final = false},
                                    .then_close = true});
    return true;
  }
  out.send(session,
           send_to_spoke{.frame = join_pending{fmt::format(
                             "waiting for the hub's administrator: whctl accept {} (or kubectl certificate approve {})",
                             self.name, name_of(csr))}});
  return false;
}

/// Names of requests can be foreseen once a key is known, and whoever may make requests may have taken one.
bool is_for_key(const document& csr, const std::string& key_sha256, const context& ctx) {
  const auto pem = from_base64(string_at(csr, {"spec", "request"}));
  const auto asked = pem ? ctx.crypto.inspect_csr(*pem) : result<crypto_port::csr_facts>(pem.err());
  return asked && asked->key_sha256 == key_sha256;
}

/// Notes how long the certificate lasts that is about to be handed out; change_cluster() writes it down with the rest.
void note_issued(managed_cluster& self, const document& csr, const context& ctx) {
  const auto answer = read_answer(csr);
  if (answer.certificate.empty()) return;
  const auto facts = ctx.crypto.inspect_certificate(answer.certificate);
  // A key that asks for an orphaned name has it only when it shows its certificate; until then others may ask.
  const bool owner =
      !self.exists || self.key_sha256.empty() || is_revoked(self) || (facts && self.key_sha256 == facts->key_sha256);
  if (facts && owner) self.issued_until = std::max(self.issued_until, facts->not_after);
}

/// Asks for a key under its fixed name: finds the request that there is, or makes one (again, when its certificate is
/// spent, or when the request is another's).
document ask(const managed_cluster& self, const std::string& key_sha256, const std::string& csr_pem,
             const std::string& user, std::vector<std::string> groups, const context& ctx, outbox& out) {
  const auto name = csr_name_of(self, key_sha256);
  const object_key key{names::csrs, "", name};
  const auto known = ctx.data.read(key);
  if (known) {
    auto request = decode_stored(key, known->body);
    if (is_for_key(request, key_sha256, ctx) && !is_spent(request, ctx)) return request;
    if (!known->in_flight) out.writes.preconditions.push_back(at_revision{key, known->rev});
  } else {
    out.writes.preconditions.push_back(absent{key});
  }
  auto request = new_csr(self, csr_pem, name, user, std::move(groups), ctx);
  out.store(key, encode_body(request));
  return request;
}

void register_cluster(managed_cluster& self, const join_asked& m, const std::string& key, const context& ctx,
                      outbox& out) {
  const bool again = change_cluster(self, ctx, out, [&](document& cluster) {
    cluster["metadata"]["annotations"][names::key_annotation] = key;
    cluster["metadata"]["annotations"].erase(names::left_at);
  });
  if (again) return;
  document doc = new_object(ctx, "cluster.open-cluster-management.io/v1", "ManagedCluster", "", self.name);
  auto& annotations = doc["metadata"]["annotations"] = document::object();
  for (const auto& [k, v] : m.request.annotations)
    if (k.starts_with("agent.open-cluster-management.io/")) annotations[k] = v;
  annotations[names::key_annotation] = key;
  if (self.settings.default_cluster_set) doc["metadata"]["labels"][cluster_set_label] = default_cluster_set;
  doc["metadata"]["finalizers"] = document::array({names::resources_finalizer});
  doc["spec"] = {{"hubAcceptsClient", false}, {"leaseDurationSeconds", 60}};
  for (const auto& [url, ca] : m.request.client_configs) {
    document config = {{"url", url}};
    if (!ca.empty()) config["caBundle"] = to_base64(ca);
    doc["spec"]["managedClusterClientConfigs"].push_back(std::move(config));
  }
  write_issued(self, doc);
  settle(self, doc, ctx, out);
  out.writes.preconditions.push_back(absent{cluster_key(self)});
  out.store(cluster_key(self), encode_body(doc));
  note_cluster(self, doc);
  out.log(note_level::info, fmt::format("registered from {}; waits for: whctl accept {}", m.remote, self.name));
}

/// The owner's certificate has run out: a person may give the name to another key. Until one does, it stays the owner's.
bool is_orphaned(const managed_cluster& self, const context& ctx) {
  return self.certificate_until != instant{} && self.certificate_until <= ctx.now;
}

/// An agent that registered over REST shows no key to the hub; that it has joined says that the name is its.
bool has_agent_over_rest(const managed_cluster& self, const context& ctx) {
  const auto stored = ctx.data.read(cluster_key(self));
  if (!stored) return false;
  const auto cluster = decode_stored(cluster_key(self), stored->body);
  return condition_status(cluster, names::joined) == "True" && annotation_of(cluster, names::left_at).empty();
}

std::string join_problem(const managed_cluster& self, const std::string& key_sha256, const context& ctx) {
  if (self.deleting) return fmt::format("cluster {} is being deleted on the hub", self.name);
  if (self.key_sha256 == names::revoked_prefix + key_sha256)
    return fmt::format("the key of cluster {} was revoked: join with a new data folder, which makes a new key",
                       self.name);
  if (self.key_sha256.empty() && has_agent_over_rest(self, ctx))
    return fmt::format(
        "cluster name {0} is taken by an agent that works over REST: choose another --cluster-name, or, if this machine "
        "replaces that one, take the cluster off the hub first (kubectl delete managedcluster {0})",
        self.name);
  if (self.key_sha256.empty() || self.key_sha256 == key_sha256 || is_revoked(self) || is_orphaned(self, ctx)) return {};
  return fmt::format(
      "cluster name {0} is taken by another key: choose another --cluster-name, or, if this machine replaces that "
      "one, take the name from it on the hub first (whctl revoke certificate {0})",
      self.name);
}

bool is_https(const std::string& url) {
  return url.starts_with("https://") && url.size() > 8 && url[8] != '/' && url.size() <= 2048 &&
         std::none_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
}

/// The last resort against a spoke that would fill the store with requests.
constexpr std::size_t renewals_per_hour = 10;

}  // namespace

void on(managed_cluster& self, const join_asked& m, const context& ctx, outbox& out) {
  auto csr = ctx.crypto.inspect_csr(m.request.csr_pem);
  if (!csr)
    return refuse_join(m, errc::malformed, "the certificate signing request is not valid: " + csr.err().message, out);
  for (const auto& [url, ca] : m.request.client_configs)
    if (!is_https(url)) return refuse_join(m, errc::invalid, "a cluster's URL must be an https URL", out);
  if (auto problem = join_problem(self, csr->key_sha256, ctx); !problem.empty())
    return refuse_join(m, self.deleting ? errc::conflict : errc::already_exists, std::move(problem), out);
  const auto name = csr_name_of(self, csr->key_sha256);
  const std::string token_id = m.request.token.substr(0, m.request.token.find('.'));
  const auto request = ask(self, csr->key_sha256, m.request.csr_pem, "system:bootstrap:" + token_id,
                           {"system:bootstrappers:managedcluster", "system:authenticated"}, ctx, out);
  note_issued(self, request, ctx);
  if (!self.exists || self.key_sha256.empty() || is_revoked(self)) register_cluster(self, m, csr->key_sha256, ctx, out);
  if (self.waiting && self.waiting->session != m.session)
    refuse_session(self.waiting->session, errc::conflict, "the cluster asks again over another connection", false, out);
  self.waiting = {m.session, name};
  if (answer_applicant(self, request, ctx, out)) self.waiting.reset();
  keep_issued(self, ctx, out);
}

namespace cluster_detail {

void answer_waiting(managed_cluster& self, const document& csr, const context& ctx, outbox& out) {
  const auto name = name_of(csr);
  if (self.waiting && name == self.waiting->csr_name) {
    note_issued(self, csr, ctx);
    if (answer_applicant(self, csr, ctx, out)) self.waiting.reset();
  }
  if (!self.peer || name != self.peer->csr_name) return;
  auto answer = read_answer(csr);
  if (answer.certificate.empty() && answer.refusal.empty()) return;
  self.peer->csr_name.clear();
  if (answer.certificate.empty()) return tell_spoke(self, renewal_refused{std::move(answer.refusal)}, out);
  tell_spoke(self, join_certificate{answer.certificate, ctx.crypto.ca_pem()}, out);
}

void handle_renewal(managed_cluster& self, const renew_request& m, const context& ctx, outbox& out) {
  const auto refuse = [&](std::string why) {
    out.log(note_level::warning, "renewal of the certificate refused: " + why);
    if (self.accepted)
      change_cluster(self, ctx, out, [&](document& cluster) {
        set_condition(cluster["status"]["conditions"],
                      {.type = names::certificate_rotated,
                       .status = "False",
                       .reason = "ClientCertificateUpdateFailed",
                       .message = why},
                      ctx.now);
      });
    tell_spoke(self, renewal_refused{std::move(why)}, out);
  };
  if (!self.accepted || self.deleting) return refuse(fmt::format("the hub does not accept cluster {}", self.name));
  const auto csr = ctx.crypto.inspect_csr(m.csr_pem);
  if (!csr) return refuse("the certificate signing request is not valid: " + csr.err().message);
  const auto user = names::cluster_user(self.name, self.peer->agent);
  auto groups = csr->organizations;
  std::sort(groups.begin(), groups.end());
  std::vector<std::string> own = {names::cluster_group(self.name), names::clusters_group};
  std::sort(own.begin(), own.end());
  if (csr->common_name != user || groups != own)
    return refuse(fmt::format("the request asks for the identity of {}, not of {}", csr->common_name, user));
  std::erase_if(self.renewals, [&](instant at) { return at + std::chrono::hours(1) <= ctx.now; });
  const auto name = csr_name_of(self, csr->key_sha256);
  if (!ctx.data.read({names::csrs, "", name})) {
    if (self.renewals.size() >= renewals_per_hour) return refuse("too many requests within an hour");
    self.renewals.push_back(ctx.now);
  }
  own.push_back("system:authenticated");
  self.peer->csr_name = name;
  answer_waiting(self, ask(self, csr->key_sha256, m.csr_pem, user, std::move(own), ctx, out), ctx, out);
}

}  // namespace cluster_detail

}  // namespace wh
