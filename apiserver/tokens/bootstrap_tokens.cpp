#include "apiserver/tokens/bootstrap_tokens.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "transport/pki.hpp"

namespace wh {

namespace {

constexpr std::size_t id_size = 6;

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::string value_of(const document& secret, std::string_view key) {
  auto bytes = from_base64(string_at(secret, {"data", key}));
  return bytes ? std::move(*bytes) : std::string();
}

/// One answer for everything that is wrong: it must not tell which ids exist.
error refused() { return fail(errc::unauthorized, "the bootstrap token is not valid"); }

bool knows_secret(const document& doc, std::string_view secret) {
  const auto plain = value_of(doc, "token-secret");
  const auto hash = value_of(doc, "token-secret-sha256");
  if (!plain.empty()) return equal_constant_time(plain, secret);
  return !hash.empty() && equal_constant_time(hash, sha256_hex(secret));
}

/// Extra groups are of the system:bootstrappers family, whatever the Secret says.
bool is_bootstrap_group(std::string_view group) {
  constexpr std::string_view prefix = "system:bootstrappers:";
  if (!group.starts_with(prefix) || group.size() == prefix.size() || group.size() > prefix.size() + 256) return false;
  group.remove_prefix(prefix.size());
  return is_plain(group.substr(group.size() - 1)) && std::all_of(group.begin(), group.end(), [](char c) {
           return is_plain({&c, 1}) || c == ':' || c == '-';
         });
}

result<std::vector<std::string>> groups_of(const document& doc) {
  std::vector<std::string> out = {"system:bootstrappers"};
  const auto list = value_of(doc, "auth-extra-groups");
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    const auto group = list.substr(at, end - at);
    if (!is_bootstrap_group(group)) return refused();
    out.push_back(group);
    at = end + 1;
  }
  out.push_back("system:authenticated");
  return out;
}

}  // namespace

bool bootstrap_tokens::has_form(std::string_view token) {
  if (token.size() < id_size + 1 + 16 || token.size() > id_size + 1 + 64 || token[id_size] != '.') return false;
  return is_plain(token.substr(0, id_size)) && is_plain(token.substr(id_size + 1));
}

void bootstrap_tokens::authenticate(const std::string& token, const std::vector<std::string>& audiences,
                                    completion done) {
  if (!audiences.empty()) return done(refused());  // these tokens are for this server alone
  done(check(token));
}

result<token_identity> bootstrap_tokens::check(const std::string& token) const {
  if (!has_form(token)) return refused();
  const auto id = token.substr(0, id_size);
  auto found = data_.get({"secrets", "kube-system", "bootstrap-token-" + id});
  if (!found) return found.err();
  if (!*found) return refused();
  auto doc = decode_record(**found);
  if (!doc || is_deleting(*doc) || string_at(*doc, {"type"}) != "bootstrap.kubernetes.io/token") return refused();
  if (!knows_secret(*doc, std::string_view(token).substr(id_size + 1))) return refused();
  if (value_of(*doc, "token-id") != id || value_of(*doc, "usage-bootstrap-authentication") != "true") return refused();
  if (const auto end = value_of(*doc, "expiration"); !end.empty()) {
    auto expires = parse_rfc3339(end);
    if (!expires || *expires <= now_()) return refused();
  }
  auto groups = groups_of(*doc);
  if (!groups) return groups.err();
  return token_identity{{"system:bootstrap:" + id, std::move(*groups)}, {}};
}

}  // namespace wh
