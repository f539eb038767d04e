#pragma once
#include "actors/actor.hpp"
#include "resources/cluster_name.hpp"

namespace wh {

/// Checks bootstrap tokens before anything is made of a join, so that a stranger cannot even make the hub start an actor.
/// A token is `id.secret`; Secret kube-system/bootstrap-token-<id> holds the SHA-256 of the secret part, the expiration and,
/// if limited, the uses left. The key that already owns the cluster's name may ask again without using the token up, also
/// after the token has expired: an approval may take longer than a token lives. A limited token remembers whom it has let
/// in, so that a join which a crash of the hub cut short takes one use, not two.
struct gatekeeper {};

void restore(gatekeeper& self, const context& ctx, outbox& out);
void on(gatekeeper& self, const join_asked& m, const context& ctx, outbox& out);

/// The Secret that holds a token.
object_key bootstrap_token_key(std::string_view token_id);

}  // namespace wh
