#include "apiserver/tokens/jwt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/encoding.hpp"

namespace wh {

namespace {

constexpr parse_limits token_limits{.depth_max = 16, .bytes_max = token_bytes_max, .yaml_nodes_max = 0};
/// 9999-12-31: beyond it times cannot be printed.
constexpr double seconds_max = 253402300799.0;

error broken(std::string_view what) { return fail(errc::malformed, fmt::format("token: {}", what)); }

result<document> json_part(std::string_view part, std::string_view name) {
  auto text = from_base64url(part);
  if (!text) return broken(fmt::format("its {} is not base64url", name));
  auto doc = parse_json(*text, token_limits);
  if (!doc || !doc->is_object()) return broken(fmt::format("its {} is no JSON object", name));
  return doc;
}

bool is_base64url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

bool looks_like_jwt(std::string_view token) {
  return std::count(token.begin(), token.end(), '.') == 2 &&
         std::all_of(token.begin(), token.end(), [](char c) { return c == '.' || is_base64url(c); });
}

result<jwt> parse_jwt(std::string_view token) {
  if (token.size() > token_bytes_max) return fail(errc::too_large, "token: larger than 32 KiB");
  if (!looks_like_jwt(token)) return broken("not of the form header.claims.signature");
  const auto first = token.find('.'), second = token.find('.', first + 1);
  auto header = json_part(token.substr(0, first), "header");
  if (!header) return header.err();
  auto claims = json_part(token.substr(first + 1, second - first - 1), "claims");
  if (!claims) return claims.err();
  auto signature = from_base64url(token.substr(second + 1));
  if (!signature) return broken("its signature is not base64url");
  // `crit` names extensions that must be understood, and none is.
  if (header->contains("crit")) return broken("its header demands extensions");
  jwt out;
  out.algorithm = string_at(*header, {"alg"});
  if (out.algorithm != "ES256" && out.algorithm != "RS256") return broken("its algorithm is neither ES256 nor RS256");
  out.key_id = string_at(*header, {"kid"});
  out.claims = std::move(*claims);
  out.signed_text = token.substr(0, second);
  out.signature = std::move(*signature);
  return out;
}

result<std::string> make_jwt(const token_signer& signer, const document& claims) {
  const document header = {{"alg", "ES256"}, {"kid", key_id_of(signer)}};
  auto text = to_base64url(header.dump()) + "." + to_base64url(claims.dump());
  auto signature = signer.sign(text);
  if (!signature) return signature.err();
  return text + "." + to_base64url(*signature);
}

bool is_signed_by(const jwt& token, const token_key& key) {
  return token.algorithm == key.algorithm() && key.verify(token.signed_text, token.signature);
}

std::vector<std::string> audiences_of(const document& claims) {
  std::vector<std::string> out;
  const auto aud = claims.find("aud");
  if (aud == claims.end()) return out;
  if (aud->is_string()) out.push_back(aud->get<std::string>());
  if (aud->is_array())
    for (const auto& a : *aud)
      if (a.is_string()) out.push_back(a.get<std::string>());
  return out;
}

result<std::optional<instant>> date_claim(const document& claims, std::string_view name) {
  const auto at = claims.find(std::string(name));
  if (at == claims.end()) return std::optional<instant>();
  if (!at->is_number()) return broken(fmt::format("its claim {} is no number", name));
  const double seconds = at->get<double>();
  if (!std::isfinite(seconds) || seconds < 0) return broken(fmt::format("its claim {} is no date", name));
  return std::optional(instant(std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, seconds_max)))));
}

result<void> check_dates(const document& claims, instant now, duration leeway, bool needs_end) {
  auto end = date_claim(claims, "exp");
  if (!end) return end.err();
  if (!*end && needs_end) return fail(errc::unauthorized, "the token has no end (exp)");
  if (*end && now >= **end + leeway) return fail(errc::unauthorized, "the token has expired");
  auto start = date_claim(claims, "nbf");
  if (!start) return start.err();
  if (*start && now + leeway < **start) return fail(errc::unauthorized, "the token is not valid yet");
  return {};
}

std::string key_id_of(const token_signer& signer) { return to_base64url(signer.fingerprint()); }

document public_jwk(const token_signer& signer) {
  return {{"use", "sig"},
          {"kty", "EC"},
          {"kid", key_id_of(signer)},
          {"crv", "P-256"},
          {"alg", "ES256"},
          {"x", to_base64url(signer.x())},
          {"y", to_base64url(signer.y())}};
}

result<std::shared_ptr<const token_key>> read_jwk(const document& jwk) {
  const auto use = string_at(jwk, {"use"}), alg = string_at(jwk, {"alg"}), kty = string_at(jwk, {"kty"});
  if (!use.empty() && use != "sig") return fail(errc::unsupported, "the key is not for signatures");
  const auto member = [&](const char* name) { return from_base64url(string_at(jwk, {name})).ok(); };
  const auto bytes = [&](const char* name) { return *from_base64url(string_at(jwk, {name})); };
  if (kty == "EC" && string_at(jwk, {"crv"}) == "P-256" && (alg.empty() || alg == "ES256")) {
    if (!member("x") || !member("y")) return fail(errc::malformed, "x and y must be base64url");
    return open_ec_token_key(bytes("x"), bytes("y"));
  }
  if (kty == "RSA" && (alg.empty() || alg == "RS256")) {
    if (!member("n") || !member("e")) return fail(errc::malformed, "n and e must be base64url");
    return open_rsa_token_key(bytes("n"), bytes("e"));
  }
  return fail(errc::unsupported, "the key is neither P-256 for ES256 nor RSA for RS256");
}

}  // namespace wh
