#include "apiserver/tokens/oidc.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wh {

namespace {

/// For an issuer whose clock disagrees a little.
constexpr duration leeway = std::chrono::seconds(60);

error refused(std::string why) { return fail(errc::unauthorized, std::move(why)); }

bool contains(const std::vector<std::string>& list, const std::string& v) {
  return std::find(list.begin(), list.end(), v) != list.end();
}

}  // namespace

oidc_tokens::oidc_tokens(oidc_options options) : options_(std::move(options)), keys_(options_.keys) {}

void oidc_tokens::authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) {
  const auto hash = sha256_bytes(token);
  if (auto known = known_.find(hash)) return done(settle(*known, audiences));
  auto parsed = parse_jwt(token);
  if (!parsed) return done(refused(parsed.err().message));
  if (string_at(parsed->claims, {"iss"}) != options_.keys.issuer)
    return done(refused("the token is of another issuer"));
  const auto key_id = parsed->key_id;
  keys_.find(key_id, [this, hash, audiences, done = std::move(done),
                      jwt = std::move(*parsed)](const result<std::vector<oidc_keys::key_ptr>>& keys) {
    if (!keys) return done(keys.err());
    auto f = judge(jwt, *keys);
    if (!f) return done(f.err());
    known_.put(hash, *f);
    done(settle(**f, audiences));
  });
}

result<oidc_tokens::facts_ptr> oidc_tokens::judge(const jwt& token, const std::vector<oidc_keys::key_ptr>& keys) const {
  if (std::none_of(keys.begin(), keys.end(), [&](const auto& k) { return is_signed_by(token, *k); }))
    return refused("the token's signature is not its issuer's");
  auto f = std::make_shared<facts>();
  f->audiences = audiences_of(token.claims);
  if (!contains(f->audiences, options_.client_id)) return refused("the token is for another audience");
  for (const auto& [claim, value] : options_.required_claims)
    if (string_at(token.claims, {claim}) != value)
      return refused(fmt::format("the token lacks claim {} with the value that is required", claim));
  auto user = user_of(token.claims);
  if (!user) return user.err();
  f->user = std::move(*user);
  f->claims = token.claims;
  return facts_ptr(std::move(f));
}

result<user_info> oidc_tokens::user_of(const document& claims) const {
  user_info user;
  const std::string name(string_at(claims, {options_.username_claim}));
  if (name.empty()) return refused(fmt::format("the token lacks claim {}", options_.username_claim));
  if (options_.username_claim == "email" && !bool_at(claims, {"email_verified"}, true))
    return refused("the token's email is not verified");
  const auto& prefix = options_.username_prefix;
  if (prefix.empty() && options_.username_claim != "email") user.name = options_.keys.issuer + "#" + name;
  else user.name = (prefix == "-" ? "" : prefix) + name;
  if (user.name.starts_with("system:")) return refused("the token's user name is one of the server's own");
  auto add = [&](const document& group) {
    if (!group.is_string()) return;
    auto full = options_.groups_prefix + group.get<std::string>();
    if (!full.empty() && !full.starts_with("system:")) user.groups.push_back(std::move(full));
  };
  const auto groups = options_.groups_claim.empty() ? claims.end() : claims.find(options_.groups_claim);
  if (groups != claims.end() && groups->is_array())
    for (const auto& g : *groups) add(g);
  else if (groups != claims.end()) add(*groups);
  user.groups.push_back("system:authenticated");
  return user;
}

result<token_identity> oidc_tokens::settle(const facts& f, const std::vector<std::string>& audiences) const {
  if (auto ok = check_dates(f.claims, options_.now(), leeway, true); !ok) return ok.err();
  token_identity out{f.user, {}};
  for (const auto& a : audiences)
    if (contains(f.audiences, a)) out.audiences.push_back(a);
  if (!audiences.empty() && out.audiences.empty()) return refused("the token is for another audience");
  return out;
}

}  // namespace wh
