#pragma once
#include <functional>
#include <optional>

#include "messages/actor_messages.hpp"

namespace wh {

/// The actor that decides about writes of an object on this node; nullopt: a kind without behaviour, anyone's batch will do.
using owner_lookup = std::function<std::optional<address>(const object_key&)>;

/// The hub's owners: a managed cluster decides about itself, its works and its lease.
std::optional<address> hub_owner_of(const object_key& key);

}  // namespace wh
