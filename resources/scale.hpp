#pragma once
#include "resources/kinds.hpp"

namespace wh {

inline constexpr std::string_view scale_api_version = "autoscaling/v1";

/// The kind Scale: what is read and written at scale subresources.
const kind_ptr& scale_kind();

/// The Scale of one object.
struct scale_view {
  document scale;
  bool has_replicas = true;  ///< false: the object says nothing of replicas, the Scale says 0
};

/// Reads an object of a kind that has scale paths. errc::internal says which value is none: a custom resource may hold
/// anything there if its definition was changed.
result<scale_view> scale_of(const kind_info& kind, const document& object);

/// Sets the replicas of an object; objects on the way are made. errc::internal if something else is on the way.
result<void> set_replicas(const kind_info& kind, document& object, std::int64_t replicas);

/// What is wrong with the values at a custom resource's scale paths: those in its status, or all others.
std::vector<field_error> validate_scale_values(const kind_info& kind, const document& object, bool of_status);

/// A selector object (matchLabels and matchExpressions, or plain labels) as text, requirements by key.
std::string selector_text(const document& selector);

/// `.spec.replicas` in its parts.
std::vector<std::string> split_scale_path(std::string_view path);

}  // namespace wh
