// Keys and certificates of the spoke: made, renewed, and got anew when they are of no use any more.
#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"
#include "actors/spoke/agent_detail.hpp"

namespace wh::agent_detail {
namespace {

const object_key identity_key{names::identities, "", "hub"};

struct key_and_request {
  std::string key_pem, csr_pem;
};

/// The key pair is made here and its private half never leaves this spoke.
key_and_request make_key(const cluster_agent& self, const context& ctx) {
  auto key = ctx.crypto.new_key();
  if (!key) throw std::runtime_error("no key pair could be made: " + key.err().message);
  auto csr = ctx.crypto.make_csr(*key, names::cluster_user(self.options.cluster, self.agent),
                                 {names::cluster_group(self.options.cluster), names::clusters_group});
  if (!csr) throw std::runtime_error("no certificate request could be made: " + csr.err().message);
  return {*key, *csr};
}

void read_validity(cluster_agent& self, const context& ctx) {
  self.certified.reset();
  const auto facts = ctx.crypto.inspect_certificate(self.cert_pem);
  if (facts) self.certified = {facts->not_before, facts->not_after};
}

/// Renewal begins where 20 % to 25 % of the life are left, so that spokes that joined together do not come together.
void draw_renewal(cluster_agent& self, const context& ctx) {
  self.renew_at.reset();
  if (!self.certified) return;
  const auto life = static_cast<double>((self.certified->until - self.certified->from).count());
  const double left = 0.20 + 0.05 * ctx.random.unit();
  self.renew_at = self.certified->until - duration{static_cast<duration::rep>(life * left)};
}

/// What is wrong with a certificate that the hub sent, or "".
std::string problem_of(const cluster_agent& self, const result<crypto_port::cert_facts>& got, const context& ctx) {
  const auto request = ctx.crypto.inspect_csr(open_request(self));
  if (!got) return "does not parse";
  if (!request) return "was not asked for";
  if (got->key_sha256 != request->key_sha256 || got->common_name != request->common_name)
    return "is not for this spoke's key";
  return {};
}

/// A request whose certificate is of no use would be answered with the same one for ever.
void drop_request(cluster_agent& self, const context& ctx, outbox& out) {
  if (self.cert_pem.empty()) {
    auto fresh = make_key(self, ctx);
    self.key_pem = std::move(fresh.key_pem);
    self.csr_pem = std::move(fresh.csr_pem);
  } else {
    self.next_key_pem.clear();
    self.next_csr_pem.clear();
  }
  save_identity(self, out);
}

void take_certificate(cluster_agent& self, const join_certificate& m, const context& ctx, outbox& out) {
  const bool joined = !self.link->member;
  if (!self.cert_pem.empty()) {
    self.key_pem = std::exchange(self.next_key_pem, "");
    self.csr_pem = std::exchange(self.next_csr_pem, "");
  }
  self.cert_pem = m.cert_pem;
  if (!m.ca_pem.empty()) self.ca_pem = m.ca_pem;
  if (joined) self.joined_with = ctx.crypto.sha256_hex(self.options.token);
  self.rejoin = false;
  self.renewal_refused_until = {};
  read_validity(self, ctx);
  draw_renewal(self, ctx);
  save_identity(self, out);
  const std::string until = self.certified ? to_rfc3339(self.certified->until) : "an unknown time";
  tell(self, note_level::info,
       joined ? fmt::format("joined: certificate for {} received, valid until {}",
                            names::cluster_user(self.options.cluster, self.agent), until)
              : fmt::format("the certificate is renewed, valid until {}", until),
       out);
  self.link.reset();
  out.cancel("heartbeat");
  look_at_certificate(self, ctx, out);
  dial(self, ctx, out);
}

void ask_for_next(cluster_agent& self, const context& ctx, outbox& out) {
  auto& link = self.link;
  if (!link || !link->member || !link->accepted || ctx.now < self.renewal_refused_until) return;
  const std::string until = to_rfc3339(self.certified->until);
  if (link->level < 1)
    return tell(
        self, note_level::warning,
        fmt::format("the certificate expires at {}, and this hub is too old to renew it: upgrade the hub", until), out);
  if (link->renewal_asked && ctx.now - *link->renewal_asked < renewal_pause) return;
  link->renewal_asked = ctx.now;
  open_next_request(self, ctx, out);
  to_hub(self, renew_request{self.next_csr_pem}, out);
  out.log(note_level::info, fmt::format("the certificate expires at {}: asking for the next one", until));
}

/// The hub may end the session too; this clock is the one that counts here.
void end_expired_session(cluster_agent& self, const context& ctx, outbox& out) {
  if (!self.link || !self.link->member) return;
  out.send(session_address(self.link->session), close_session{"the certificate has expired"});
  self.link.reset();
  out.cancel("heartbeat");
  dial(self, ctx, out);
}

}  // namespace

bool has_identity(const context& ctx) { return ctx.data.read(identity_key).has_value(); }

void save_identity(const cluster_agent& self, outbox& out) {
  document doc = {{"apiVersion", "wheelhouse.io/v1"},
                  {"kind", "Identity"},
                  {"metadata", {{"name", "hub"}}},
                  {"cluster", self.options.cluster},
                  {"agent", self.agent},
                  {"key", self.key_pem},
                  {"csr", self.csr_pem},
                  {"certificate", self.cert_pem},
                  {"ca", self.ca_pem},
                  {"hubIncarnation", self.hub_incarnation},
                  {"joinedWith", self.joined_with}};
  if (!self.next_csr_pem.empty()) doc["next"] = {{"key", self.next_key_pem}, {"csr", self.next_csr_pem}};
  if (self.renew_at) doc["renewAt"] = to_rfc3339_micro(*self.renew_at);
  if (self.leaving)
    doc["leaving"] = {{"keepWorkloads", self.leaving->keep_workloads}, {"hubTold", self.leaving->hub_told}};
  out.store(identity_key, encode_body(doc));
}

void load_identity(cluster_agent& self, const context& ctx, outbox& out) {
  const auto stored = ctx.data.read(identity_key);
  const auto doc = decode_stored(identity_key, stored->body);
  const auto text = [&](const char* field) { return std::string(string_at(doc, {field})); };
  self.agent = text("agent");
  self.key_pem = text("key");
  self.csr_pem = text("csr");
  self.cert_pem = text("certificate");
  self.ca_pem = text("ca");
  self.hub_incarnation = text("hubIncarnation");
  self.joined_with = text("joinedWith");
  self.next_key_pem = string_at(doc, {"next", "key"});
  self.next_csr_pem = string_at(doc, {"next", "csr"});
  if (find_path(doc, {"leaving"}))
    self.leaving = {bool_at(doc, {"leaving", "keepWorkloads"}, false), bool_at(doc, {"leaving", "hubTold"}, false)};
  if (self.cert_pem.empty()) return;
  read_validity(self, ctx);
  if (!self.certified)
    out.log(note_level::error, "the stored certificate cannot be read: it can be used, but not renewed in time");
  if (const auto at = parse_rfc3339(text("renewAt")); at) self.renew_at = *at;
  if (self.renew_at || !self.certified) return;
  draw_renewal(self, ctx);
  save_identity(self, out);
}

void erase_identity(cluster_agent& self, outbox& out) {
  out.remove(identity_key);
  self.agent.clear();
  for (auto* secret : {&self.key_pem, &self.csr_pem, &self.cert_pem, &self.next_key_pem, &self.next_csr_pem})
    secret->clear();
}

void make_identity(cluster_agent& self, const context& ctx, outbox& out) {
  self.agent = random_suffix(ctx.random, 5);
  auto fresh = make_key(self, ctx);
  self.key_pem = std::move(fresh.key_pem);
  self.csr_pem = std::move(fresh.csr_pem);
  save_identity(self, out);
}

bool expired(const cluster_agent& self, instant now) { return self.certified && now >= self.certified->until; }

bool has_fresh_token(const cluster_agent& self, const context& ctx) {
  return !self.options.token.empty() && ctx.crypto.sha256_hex(self.options.token) != self.joined_with;
}

const std::string& open_request(const cluster_agent& self) {
  return self.cert_pem.empty() ? self.csr_pem : self.next_csr_pem;
}

void open_next_request(cluster_agent& self, const context& ctx, outbox& out) {
  if (!open_request(self).empty()) return;
  auto fresh = make_key(self, ctx);
  self.next_key_pem = std::move(fresh.key_pem);
  self.next_csr_pem = std::move(fresh.csr_pem);
  save_identity(self, out);
}

void handle_certificate(cluster_agent& self, const join_certificate& m, const context& ctx, outbox& out) {
  const auto got = ctx.crypto.inspect_certificate(m.cert_pem);
  if (const auto problem = problem_of(self, got, ctx); !problem.empty())
    return tell(self, note_level::error, fmt::format("the hub sent a certificate that {}: ignored", problem), out);
  if (got->not_after > ctx.now) return take_certificate(self, m, ctx, out);
  tell(self, note_level::error,
       fmt::format(
           "the hub sent a certificate that expired at {}: ignored. It is {} by this machine's clock; if that is "
           "right, the hub's clock or --certificate-life is wrong",
           to_rfc3339(got->not_after), to_rfc3339(ctx.now)),
       out);
  self.retry_after = std::max(self.retry_after, bad_certificate_pause);
  self.renewal_refused_until = ctx.now + renewal_pause;
  drop_request(self, ctx, out);
}

void handle_renewal_refused(cluster_agent& self, const renewal_refused& m, const context& ctx, outbox& out) {
  if (!self.certified) return;
  self.renewal_refused_until = ctx.now + renewal_pause;
  tell(self, note_level::warning,
       fmt::format(
           "the hub does not renew the certificate: {}. The one in use works until {}; asking again from time to "
           "time until then",
           m.message, to_rfc3339(self.certified->until)),
       out);
  look_at_certificate(self, ctx, out);
}

void look_at_certificate(cluster_agent& self, const context& ctx, outbox& out) {
  if (!self.certified || !self.renew_at) return;
  if (expired(self, ctx.now)) return end_expired_session(self, ctx, out);
  const bool due = ctx.now >= *self.renew_at;
  if (due) ask_for_next(self, ctx, out);
  // Short steps: a wall clock may be set, and a machine may sleep.
  auto next = std::min(certificate_check_max, self.certified->until - ctx.now);
  next = std::min(next, due ? renewal_pause : *self.renew_at - ctx.now);
  out.wake("certificate", next);
}

}  // namespace wh::agent_detail
