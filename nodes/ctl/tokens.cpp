#include "nodes/ctl/tokens.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

#include "base/encoding.hpp"

namespace wh::ctl {
namespace {

constexpr std::string_view name_prefix = "bootstrap-token-";
constexpr std::size_t id_length = 6;

std::string token_path(std::string_view id = {}) {
  std::string path = "/api/v1/namespaces/kube-system/secrets";
  if (!id.empty()) path += "/" + std::string(name_prefix) + percent_encode(id);
  return path;
}

std::string data_of(const document& secret, std::string_view key) {
  const auto decoded = from_base64(string_at(secret, {"data", key}));
  return decoded ? *decoded : std::string();
}

result<std::vector<token_facts>> all_tokens(console& c) {
  const auto secrets = c.hub.list(token_path());
  if (!secrets) return secrets.err();
  std::vector<token_facts> tokens;
  for (const auto& secret : *secrets)
    if (auto token = read_token(secret)) tokens.push_back(std::move(*token));
  return tokens;
}

std::string time_left(const token_facts& token, instant now) {
  if (!token.expires) return "forever";
  return *token.expires <= now ? "expired" : human_duration(*token.expires - now);
}

document fields_of(const token_facts& token, instant now) {
  document fields = {{"id", token.id}, {"spent", token.spent(now)}};
  if (token.expires) fields["expires"] = to_rfc3339(*token.expires);
  if (token.uses) fields["usesLeft"] = *token.uses;
  return fields;
}

outcome revoked(const std::string& id, const std::string& what) {
  return {.text = id + ": " + what, .fields = {{"id", id}, {"result", what}}};
}

outcome failed(const std::string& id, const std::string& why) {
  return {.text = id + ": " + why, .fields = {{"id", id}, {"error", why}}, .ok = false};
}

outcome revoke_one(console& c, const std::string& id) {
  const auto found = c.hub.find(token_path(id));
  if (!found) return failed(id, found.err().message);
  if (!*found) return revoked(id, "no such token here: revoked before, or never made");
  if (!read_token(**found)) return failed(id, "Secret " + std::string(name_of(**found)) + " is no bootstrap token");
  const auto gone = c.hub.remove(token_path(id));
  if (!gone && gone.err().code != errc::not_found) return failed(id, gone.err().message);
  return revoked(id, "revoked; clusters that have joined with it stay, nobody else joins with it");
}

}  // namespace

std::optional<token_facts> read_token(const document& secret) {
  const auto name = name_of(secret);
  if (string_at(secret, {"type"}) != "bootstrap.kubernetes.io/token" || !name.starts_with(name_prefix)) return {};
  token_facts token{.id = std::string(name.substr(name_prefix.size())), .secret = secret};
  if (const auto text = data_of(secret, "expiration"); !text.empty()) {
    const auto expires = parse_rfc3339(text);
    token.expires = expires ? *expires : instant{};
  }
  if (const auto text = data_of(secret, "uses-remaining"); !text.empty()) {
    std::uint64_t uses = 0;
    std::from_chars(text.data(), text.data() + text.size(), uses);
    token.uses = uses;
  }
  return token;
}

int get_tokens(console& c) {
  const auto tokens = all_tokens(c);
  if (!tokens) return report(c, tokens.err());
  const auto now = c.now();
  std::vector<document> items;
  text_table table({"ID", "EXPIRES", "VALID FOR", "USES LEFT", "AGE"});
  for (const auto& token : *tokens) {
    items.push_back(fields_of(token, now));
    table.row({token.id, token.expires ? to_rfc3339(*token.expires) : "never", time_left(token, now),
               token.uses ? std::to_string(*token.uses) : "any", age_of(token.secret, now)});
  }
  if (c.format != output_format::table) c.out << print_document(list_document(std::move(items)), c.format);
  else if (table.empty()) c.err << "No tokens: whctl get token makes one.\n";
  else c.out << table.render(c.colour);
  return exit_ok;
}

result<std::string> token_id_of(const std::string& text) {
  auto id = text.substr(0, text.find('.'));
  if (id.starts_with(name_prefix)) id.erase(0, name_prefix.size());
  const auto allowed = [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'); };
  if (id.size() == id_length && std::all_of(id.begin(), id.end(), allowed)) return id;
  return fail(errc::invalid, "\"" + id.substr(0, id_length) +
                                 "…\" is no token and no id of one: an id has 6 characters of a-z and 0-9 (whctl get "
                                 "tokens lists them)");
}

int revoke_tokens(console& c, const revoke_token_options& options) {
  std::vector<std::string> ids;
  for (const auto& text : options.tokens) {
    auto id = token_id_of(text);
    if (!id) return report(c, id.err());
    if (std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(std::move(*id));
  }
  if (options.all_expired) {
    const auto tokens = all_tokens(c);
    if (!tokens) return report(c, tokens.err());
    for (const auto& token : *tokens)
      if (token.spent(c.now()) && std::find(ids.begin(), ids.end(), token.id) == ids.end()) ids.push_back(token.id);
    if (ids.empty() && c.format == output_format::table) c.err << "No token has expired or is used up.\n";
  }
  std::vector<outcome> outcomes;
  for (const auto& id : ids) outcomes.push_back(revoke_one(c, id));
  return report(c, outcomes);
}

}  // namespace wh::ctl
