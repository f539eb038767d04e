#pragma once
#include <string>

#include "actors/actor.hpp"

namespace wh {

/// Every namespace has a ServiceAccount `default`, also again after it was deleted. Nothing happens in a namespace that is
/// going.
void ensure_default_account(const std::string& ns, const context& ctx, outbox& out);

/// True for changes that may leave a namespace without its ServiceAccount.
bool concerns_default_account(const change& c);

}  // namespace wh
