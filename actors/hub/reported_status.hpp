#pragma once
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "resources/document.hpp"

namespace wh {

/// The status of a ManifestWork as a spoke reports it (JSON), in the shape that the API promises: what has no place there,
/// or is of another type, is left out. One field that a typed client cannot read would make the whole list of works
/// unreadable to it, other clusters' works included. An error if it is no status at all.
result<document> read_reported_status(std::string_view json, instant now);

}  // namespace wh
