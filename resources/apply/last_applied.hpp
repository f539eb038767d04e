#pragma once
#include "resources/apply/apply.hpp"

namespace wh::apply {

/// apply_config() for objects that `kubectl apply` has managed on the client's side: when the manager is kubectl's own,
/// fields that its last-applied annotation vouches for are taken over without conflict, and the annotation follows what
/// is applied now, so that one can go back. For every other manager it is apply_config().
result<apply_outcome> apply_after_client_side(const document& live, const document& config, const managers& owners,
                                              const std::string& manager, bool force, const write_scope& scope);

}  // namespace wh::apply
