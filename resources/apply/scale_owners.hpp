#pragma once
#include <functional>
#include <optional>

#include "resources/apply/managers.hpp"

// An object's replicas have owners, be they written through the object or through its Scale. These functions lead from
// one to the other: a Scale has the owners of the object's replicas and no others.
namespace wh::apply {

/// Where the replicas are in a version of the object's kind; nullopt: that version has no scale.
using replicas_paths = std::function<std::optional<path>(const std::string& api_version)>;

/// The owners of an object's Scale.
managers owners_of_scale(const managers& of_object, const replicas_paths& paths);

/// The owners of an object after a write to its Scale, in the version of the write's endpoint.
managers owners_after_scale(managers of_object, const managers& of_scale, const std::string& api_version,
                            const replicas_paths& paths);

}  // namespace wh::apply
