#pragma once
#include <optional>
#include <string_view>

#include "messages/batch.hpp"

namespace wh::storage {

/// A key that lives in somebody else's memory. Sorted as object_key.
struct key_view {
  std::string_view resource;
  std::string_view ns;
  std::string_view name;
  key_view() = default;
  key_view(std::string_view resource_part, std::string_view ns_part, std::string_view name_part)
      : resource(resource_part), ns(ns_part), name(name_part) {}
  explicit key_view(const object_key& key) : resource(key.resource), ns(key.ns), name(key.name) {}
  object_key to_key() const { return {std::string(resource), std::string(ns), std::string(name)}; }
  friend auto operator<=>(const key_view&, const key_view&) = default;
  friend bool operator==(const key_view&, const key_view&) = default;
};

/// What a scan over sorted keys does with the one it met.
struct scan_step {
  enum class kind { take, seek, stop };
  kind what = kind::stop;
  object_key to;  ///< seek: go on at the first key not before this one
};

/// Where a scan of `range` starts; with `after`, it starts behind that key.
object_key scan_start(const key_range& range, const std::optional<object_key>& after);

/// Judges a key at or behind scan_start. Skips from namespace to namespace when only a name is asked for, so that one
/// cluster-scoped object costs two steps and not a walk over its kind.
scan_step judge_key(const key_range& range, const key_view& key);

}  // namespace wh::storage
