#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

/// A bootstrap token: whoever shows it may ask to join, and nothing else.
struct join_token {
  std::string id;      ///< 6 characters, public: names the Secret
  std::string secret;  ///< 26 characters, some 134 bits; never stored
  std::string text() const { return id + "." + secret; }
};
join_token make_join_token();

struct token_options {
  duration ttl = std::chrono::hours(1);
  std::optional<std::uint64_t> uses = {};  ///< joins before the token is spent; none: any number while it lives
  std::string cluster_name = {};           ///< filled into the join command
};

/// The Secret that lets the hub check the token without knowing it: the hash of its secret part.
document token_secret(const join_token& token, const token_options& options, instant now);

/// Where spokes reach the hub and how they recognise it, from ConfigMap kube-public/cluster-info.
struct hub_facts {
  std::string link;    ///< host:port that spokes dial
  std::string ca_pin;  ///< sha256:…
};
result<hub_facts> read_hub_facts(const document& cluster_info);

/// The command that joins a cluster, complete but for `<cluster-name>` if no name is known.
std::string join_command(const hub_facts& hub, const join_token& token, std::string_view cluster_name);

/// `whctl get token`
int get_token(console& c, const token_options& options);

}  // namespace wh::ctl
