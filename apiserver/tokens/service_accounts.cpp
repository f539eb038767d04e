#include "apiserver/tokens/service_accounts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "transport/pki.hpp"

namespace wh {

namespace {

constexpr const char* accounts = "serviceaccounts";
constexpr const char* private_claims = "kubernetes.io";
/// For clocks that disagree a little.
constexpr duration leeway = std::chrono::seconds(10);

error refused(std::string why) { return fail(errc::unauthorized, std::move(why)); }

std::string account_key(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

std::int64_t seconds_of(instant t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

std::string new_token_id() {
  auto hex = to_hex(random_bytes(16));
  hex[12] = '4';
  hex[16] = '8';
  for (std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, "-");
  return hex;
}

}  // namespace

service_accounts::service_accounts(service_account_options options)
    : options_(std::move(options)), keys_(*options_.data, options_.now) {
  options_.data->subscribe(this);
  auto page = options_.data->list({accounts, "", ""});
  if (!page) return;
  for (const auto& r : page->records) {
    // The feed may have told something newer already: what is current now is right in any case.
    auto current = options_.data->get(r.key);
    if (current) apply(r.key, *current ? (*current)->body : nullptr);
  }
}

service_accounts::~service_accounts() { options_.data->unsubscribe(this); }

void service_accounts::on_committed(const std::vector<change>& changes) {
  for (const auto& c : changes) {
    if (c.key.resource == accounts) apply(c.key, c.body);
    // A key that is taken away takes its tokens along.
    if (c.key.resource == signing_keys_resource) known_.clear();
  }
}

void service_accounts::apply(const object_key& key, const shared_bytes& body) {
  auto doc = body ? decode_body(*body) : result<document>(document::object());
  std::unique_lock lock(mutex_);
  if (body && doc) uids_[account_key(key.ns, key.name)] = uid_of(*doc);
  else uids_.erase(account_key(key.ns, key.name));
}

void service_accounts::authenticate(const std::string& token, const std::vector<std::string>& audiences,
                                    completion done) {
  done(check(token, audiences));
}

result<token_identity> service_accounts::check(const std::string& token, const std::vector<std::string>& audiences) {
  auto found = believe(token);
  if (!found) return found.err();
  const auto& f = **found;
  if (auto ok = check_dates(f.claims, options_.now(), leeway, f.bound_resource != "secrets"); !ok) return ok.err();
  token_identity out;
  for (const auto& wanted : audiences.empty() ? std::vector{options_.issuer} : audiences)
    if (std::find(f.audiences.begin(), f.audiences.end(), wanted) != f.audiences.end()) out.audiences.push_back(wanted);
  if (out.audiences.empty()) return refused("the token is for another audience");
  if (auto ok = check_existence(f); !ok) return ok.err();
  out.user = {fmt::format("system:serviceaccount:{}:{}", f.ns, f.account),
              {"system:serviceaccounts", "system:serviceaccounts:" + f.ns, "system:authenticated"},
              f.account_uid,
              {}};
  if (auto id = string_at(f.claims, {"jti"}); !id.empty())
    out.user.extra["authentication.kubernetes.io/credential-id"] = {"JTI=" + std::string(id)};
  return out;
}

result<service_accounts::facts_ptr> service_accounts::believe(const std::string& token) {
  const auto hash = sha256_bytes(token);
  if (auto known = known_.find(hash)) return known;
  auto parsed = parse_jwt(token);
  if (!parsed) return refused(parsed.err().message);
  if (string_at(parsed->claims, {"iss"}) != options_.issuer) return refused("the token is of another issuer");
  const auto signer = keys_.find(parsed->key_id);
  if (!signer || !is_signed_by(*parsed, *signer->key())) return refused("the token's signature is not this server's");
  auto f = read_facts(std::move(*parsed));
  if (f) known_.put(hash, *f);
  return f;
}

result<service_accounts::facts_ptr> service_accounts::read_facts(jwt token) const {
  auto f = std::make_shared<facts>();
  const auto& c = token.claims;
  f->ns = string_at(c, {private_claims, "namespace"});
  f->account = string_at(c, {private_claims, "serviceaccount", "name"});
  f->account_uid = string_at(c, {private_claims, "serviceaccount", "uid"});
  f->audiences = audiences_of(c);
  for (const char* kind : {"secret", "pod"})
    if (find_path(c, {private_claims, kind})) {
      f->bound_resource = std::string(kind) + "s";
      f->bound_name = string_at(c, {private_claims, kind, "name"});
      f->bound_uid = string_at(c, {private_claims, kind, "uid"});
    }
  if (f->ns.empty() || f->account.empty() || f->account_uid.empty())
    return refused("the token names no ServiceAccount");
  f->claims = std::move(token.claims);
  return facts_ptr(std::move(f));
}

result<void> service_accounts::check_existence(const facts& f) const {
  {
    std::shared_lock lock(mutex_);
    const auto it = uids_.find(account_key(f.ns, f.account));
    if (it == uids_.end() || it->second != f.account_uid) return refused("the token's ServiceAccount is gone");
  }
  if (f.bound_resource.empty()) return {};
  auto bound = options_.data->get({f.bound_resource, f.ns, f.bound_name});
  if (!bound) return bound.err();
  auto doc = *bound ? decode_record(**bound) : result<document>(document::object());
  if (!doc || uid_of(*doc) != f.bound_uid || is_deleting(*doc)) return refused("what the token is bound to is gone");
  return {};
}

result<token_issuer::issued> service_accounts::issue(const token_order& order) {
  auto signer = keys_.current();
  if (!signer) return signer.err();
  const auto now = options_.now();
  issued out;
  out.expires = now + std::min(order.life, options_.life_max);
  out.audiences = order.audiences.empty() ? std::vector{options_.issuer} : order.audiences;
  document own = {{"namespace", order.ns}, {"serviceaccount", {{"name", order.name}, {"uid", order.uid}}}};
  if (!order.bound_kind.empty()) own[order.bound_kind] = {{"name", order.bound_name}, {"uid", order.bound_uid}};
  document claims = {
      {"iss", options_.issuer},        {"sub", fmt::format("system:serviceaccount:{}:{}", order.ns, order.name)},
      {"aud", out.audiences},          {"iat", seconds_of(now)},
      {"nbf", seconds_of(now)},        {"jti", new_token_id()},
      {private_claims, std::move(own)}};
  if (!order.endless) claims["exp"] = seconds_of(out.expires);
  auto token = make_jwt(**signer, claims);
  if (!token) return token.err();
  out.token = std::move(*token);
  return out;
}

result<document> service_accounts::discovery() {
  const auto base = options_.issuer.ends_with('/') ? options_.issuer : options_.issuer + "/";
  return document{{"issuer", options_.issuer},
                  {"jwks_uri", base + "openid/v1/jwks"},
                  {"response_types_supported", {"id_token"}},
                  {"subject_types_supported", {"public"}},
                  {"id_token_signing_alg_values_supported", {"ES256"}}};
}

result<document> service_accounts::key_set() {
  if (auto made = keys_.current(); !made) return made.err();
  document keys = document::array();
  for (const auto& k : keys_.all()) keys.push_back(public_jwk(*k));
  return document{{"keys", std::move(keys)}};
}

}  // namespace wh
