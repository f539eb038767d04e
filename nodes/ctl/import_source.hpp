#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nodes/ctl/hub_client.hpp"
#include "nodes/ctl/import_kinds.hpp"

namespace wh::ctl {

/// The best version of a kind that a server has; nullopt: it has none. A server that refuses to be asked is taken to have
/// the best: reading will tell.
result<std::optional<std::string>> served_version(hub_client& server, const imported_kind& kind);

/// Gives the objects of a collection to `take`, page by page and each once, until it says that it wants no more. A list that
/// grew too old between two pages, or that a busy source refuses, is begun again after `pause`.
result<void> read_objects(hub_client& source, const std::string& path, std::size_t page,
                          const std::function<bool(const document&)>& take, const std::function<void()>& pause);

}  // namespace wh::ctl
