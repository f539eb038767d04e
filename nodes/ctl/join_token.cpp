#include "nodes/ctl/join_token.hpp"

#include <ostream>

#include "base/encoding.hpp"
#include "transport/pki.hpp"

namespace wh::ctl {
namespace {

constexpr std::size_t id_length = 6;
constexpr std::size_t secret_length = 26;
constexpr int attempts_max = 3;
constexpr const char* cluster_info_path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
constexpr const char* secrets_path = "/api/v1/namespaces/kube-system/secrets";

std::string random_text(std::size_t length) {
  static constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  // Bytes beyond the last whole multiple of 36 are thrown away: a plain remainder would favour the first letters.
  constexpr unsigned limit = 256 - 256 % alphabet.size();
  std::string text;
  while (text.size() < length) {
    for (const char c : random_bytes(length)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < limit && text.size() < length) text += alphabet[byte % alphabet.size()];
    }
  }
  return text;
}

/// Stores the token's Secret; an id that is taken already is replaced by another.
result<join_token> store_token(console& c, const token_options& options) {
  error last = fail(errc::already_exists, "");
  for (int attempt = 0; attempt < attempts_max && last.code == errc::already_exists; ++attempt) {
    auto token = make_join_token();
    const auto stored = c.hub.create(secrets_path, token_secret(token, options, c.now()));
    if (stored) return token;
    last = stored.err();
  }
  return last;
}

}  // namespace

join_token make_join_token() { return {.id = random_text(id_length), .secret = random_text(secret_length)}; }

document token_secret(const join_token& token, const token_options& options, instant now) {
  document data = {{"token-id", to_base64(token.id)},
                   {"token-secret-sha256", to_base64(sha256_hex(token.secret))},
                   {"expiration", to_base64(to_rfc3339(now + options.ttl))},
                   {"usage-bootstrap-join", to_base64("true")}};
  if (options.uses) data["uses-remaining"] = to_base64(std::to_string(*options.uses));
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", {{"name", "bootstrap-token-" + token.id}, {"namespace", "kube-system"}}},
          {"type", "bootstrap.kubernetes.io/token"},
          {"data", std::move(data)}};
}

result<hub_facts> read_hub_facts(const document& cluster_info) {
  hub_facts facts{.link = std::string(string_at(cluster_info, {"data", "hub-link"})),
                  .ca_pin = std::string(string_at(cluster_info, {"data", "ca-pin"}))};
  if (facts.link.empty() || facts.ca_pin.empty())
    return fail(errc::invalid,
                "ConfigMap kube-public/cluster-info has no hub-link and ca-pin: is this server a Wheelhouse hub?");
  return facts;
}

std::string join_command(const hub_facts& hub, const join_token& token, std::string_view cluster_name) {
  const std::string name(cluster_name.empty() ? "<cluster-name>" : cluster_name);
  return "wheelhouse-spoke --data-dir ./" + name + " --cluster-name " + name + " --hub " + hub.link + " --token " +
         token.text() + " --ca-pin " + hub.ca_pin;
}

int get_token(console& c, const token_options& options) {
  const auto info = c.hub.get(cluster_info_path);
  if (!info) return report(c, info.err());
  const auto hub = read_hub_facts(*info);
  if (!hub) return report(c, hub.err());
  const auto token = store_token(c, options);
  if (!token) return report(c, token.err());
  const auto expires = to_rfc3339(c.now() + options.ttl);
  const auto command = join_command(*hub, *token, options.cluster_name);
  if (c.format != output_format::table) {
    c.out << print_document({{"token", token->text()},
                             {"expires", expires},
                             {"hub", hub->link},
                             {"caPin", hub->ca_pin},
                             {"command", command}},
                            c.format);
    return exit_ok;
  }
  c.out << "Token valid until " << expires;
  if (options.uses) c.out << ", for " << *options.uses << (*options.uses == 1 ? " join" : " joins");
  c.out << ". Run this on the machine that manages the cluster,\nthen accept it here with: whctl accept "
        << (options.cluster_name.empty() ? "<cluster-name>" : options.cluster_name) << "\n\n"
        << command << "\n";
  return exit_ok;
}

}  // namespace wh::ctl
