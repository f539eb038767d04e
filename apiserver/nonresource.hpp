#pragma once
#include "apiserver/core.hpp"

namespace wh {

/// Health, version, metrics, discovery and OpenAPI. False: the path names none of them.
bool handle_non_resource(const call_ptr& call);

/// True for paths that need no role: health for everyone, discovery and version for everyone who is known.
bool is_open_path(const api_call& call);

}  // namespace wh
