#include "persistence/scan.hpp"

#include <algorithm>

namespace wh::storage {

object_key scan_start(const key_range& range, const std::optional<object_key>& after) {
  object_key start{range.resource, range.ns, range.name};
  return after ? std::max(start, *after) : start;
}

scan_step judge_key(const key_range& range, const key_view& key) {
  using kind = scan_step::kind;
  if (key.resource != range.resource || (!range.ns.empty() && key.ns != range.ns)) return {kind::stop, {}};
  if (range.name.empty() || key.name == range.name) return {kind::take, {}};
  if (key.name < range.name) return {kind::seek, {range.resource, std::string(key.ns), range.name}};
  if (!range.ns.empty()) return {kind::stop, {}};
  // Keys hold no NUL, so nothing lies between a namespace and itself followed by \x01.
  return {kind::seek, {range.resource, std::string(key.ns) + '\x01', {}}};
}

}  // namespace wh::storage
