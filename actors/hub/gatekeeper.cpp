#include "actors/hub/gatekeeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"
#include "base/encoding.hpp"

namespace wh {
namespace {

/// Joins that a token remembers having let in: more than can be between the two commits that a join takes.
constexpr std::size_t remembered_joins_max = 256;

bool is_label_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

/// The CSR must ask for exactly the identity of this cluster and agent: whole segments, no extra organisation.
result<std::string> check_request(const join_asked& m, const context& ctx) {
  auto csr = ctx.crypto.inspect_csr(m.request.csr_pem);
  if (!csr) return fail(errc::malformed, "the certificate signing request is not valid: " + csr.err().message);
  auto groups = csr->organizations;
  std::sort(groups.begin(), groups.end());
  std::vector<std::string> expected = {names::cluster_group(m.cluster), names::clusters_group};
  std::sort(expected.begin(), expected.end());
  if (csr->common_name != names::cluster_user(m.cluster, m.agent) || groups != expected || m.agent.empty() ||
      !std::all_of(m.agent.begin(), m.agent.end(), is_label_char))
    return fail(errc::forbidden,
                fmt::format("the certificate signing request does not ask for the identity of cluster {}", m.cluster));
  return std::move(csr->key_sha256);
}

bool owns_name(const join_asked& m, const std::string& key_sha256, const context& ctx) {
  const object_key key{names::managed_clusters, "", m.cluster};
  const auto cluster = ctx.data.read(key);
  return cluster && annotation_of(decode_stored(key, cluster->body), names::key_annotation) == key_sha256;
}

/// The rejection that everybody gets who does not know the secret: it must not tell which ids exist.
error unknown_token() {
  return {errc::unauthorized, "the bootstrap token is not valid on this hub: get a new one with: whctl get token"};
}

/// The use is durable before the cluster is: a hub that dies between the two must not ask the same spoke for another one.
result<void> use_up(draft& secret, const std::string& join) {
  const std::string uses = secret_value(secret.doc(), "uses-remaining");
  if (uses.empty()) return {};
  std::string let_in = secret_value(secret.doc(), "let-in");
  // 64 bits of a digest: the Secret is written with each join, and nobody gains by a name that means another's use.
  const std::string line = join.substr(0, 16) + "\n";
  if (let_in.starts_with(line) || let_in.find("\n" + line) != std::string::npos) return {};
  std::uint32_t left = 0;
  const auto parsed = std::from_chars(uses.data(), uses.data() + uses.size(), left);
  if (parsed.ec != std::errc() || left == 0)
    return fail(errc::unauthorized, "the bootstrap token is used up: get a new one with: whctl get token");
  if (std::count(let_in.begin(), let_in.end(), '\n') >= static_cast<std::ptrdiff_t>(remembered_joins_max))
    let_in.erase(0, let_in.find('\n') + 1);
  secret.doc()["data"]["let-in"] = to_base64(let_in + line);
  secret.doc()["data"]["uses-remaining"] = to_base64(std::to_string(left - 1));
  return {};
}

result<void> check_token(draft& secret, const join_asked& m, const std::string& key_sha256, const context& ctx) {
  const auto dot = m.request.token.find('.');
  if (!ctx.crypto.equal_secret(ctx.crypto.sha256_hex(std::string_view(m.request.token).substr(dot + 1)),
                               secret_value(secret.doc(), "token-secret-sha256")) ||
      secret_value(secret.doc(), "usage-bootstrap-join") != "true")
    return unknown_token();
  if (owns_name(m, key_sha256, ctx)) return {};
  const auto expires = parse_rfc3339(secret_value(secret.doc(), "expiration"));
  if (!expires || *expires <= ctx.now)
    return fail(errc::unauthorized,
                fmt::format("the bootstrap token expired at {}: get a new one with: whctl get token",
                            secret_value(secret.doc(), "expiration")));
  return use_up(secret, ctx.crypto.sha256_hex(m.cluster + "/" + key_sha256));
}

result<void> admit_join(const join_asked& m, const context& ctx, outbox& out) {
  if (auto problem = cluster_name_problem(m.cluster); !problem.empty()) return fail(errc::invalid, problem);
  auto key_sha256 = check_request(m, ctx);
  if (!key_sha256) return key_sha256.err();
  const auto dot = m.request.token.find('.');
  if (dot == std::string::npos || dot == 0 || dot > 32) return unknown_token();
  auto secret = draft::open(bootstrap_token_key(m.request.token.substr(0, dot)), ctx);
  if (!secret) return unknown_token();
  if (auto ok = check_token(*secret, m, *key_sha256, ctx); !ok) return ok;
  if (!secret->in_flight()) out.writes.preconditions.push_back(at_revision{secret->key(), secret->rev()});
  if (!secret->save(out)) out.writes.preconditions.clear();
  return {};
}

}  // namespace

object_key bootstrap_token_key(std::string_view token_id) {
  return {names::secrets, "kube-system", "bootstrap-token-" + std::string(token_id)};
}

void restore(gatekeeper&, const context&, outbox&) {}

void on(gatekeeper&, const join_asked& m, const context& ctx, outbox& out) {
  if (auto ok = admit_join(m, ctx, out); !ok) {
    out.writes = {};
    out.log(note_level::warning,
            fmt::format("join of \"{}\" from {} refused: {}", m.cluster.substr(0, 80), m.remote, ok.err().message));
    out.send(session_address(m.session),
             send_to_spoke{
                 .frame = refused{.code = ok.err().code, .message = ok.err().message, .retry_after = {}, .final = true},
                 .then_close = true});
    return;
  }
  out.send({actor_kind::managed_cluster, m.cluster}, m);
}

}  // namespace wh
