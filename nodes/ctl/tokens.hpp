#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

/// What may be shown of a bootstrap token: all but its secret, and but the hash of it.
struct token_facts {
  std::string id;
  std::optional<instant> expires = {};     ///< none: never
  std::optional<std::uint64_t> uses = {};  ///< joins that are left; none: any number
  document secret = {};                    ///< the Secret that it was read from; never printed
  bool spent(instant now) const { return (expires && *expires <= now) || (uses && *uses == 0); }
};

/// Reads a Secret of type bootstrap.kubernetes.io/token; nullopt: it is another kind of Secret. What cannot be read in it
/// counts as expired long ago, as the hub believes no such token.
std::optional<token_facts> read_token(const document& secret);

/// `whctl get tokens`
int get_tokens(console& c);

struct revoke_token_options {
  std::vector<std::string> tokens = {};  ///< ids, whole tokens, or names of their Secrets
  bool all_expired = false;              ///< those that nobody can join with any more
};

/// The id in what a person gives for a token: `abcdef`, `abcdef.secret`, `bootstrap-token-abcdef`. The error repeats no
/// more than the first part, for the rest may be a secret.
result<std::string> token_id_of(const std::string& text);

/// `whctl revoke token`: deletes the tokens. Revoking one that is not there is no failure.
int revoke_tokens(console& c, const revoke_token_options& options);

}  // namespace wh::ctl
