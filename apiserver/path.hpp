#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/status.hpp"

namespace wh {

/// A request target taken apart: decoded path segments and query parameters (the first value of each wins, as
/// url.Values.Get).
struct request_target {
  std::string path;  ///< decoded, for RBAC's non-resource rules
  std::vector<std::string> segments;
  std::map<std::string, std::string, std::less<>> query;

  std::string_view param(std::string_view name) const;
  bool has(std::string_view name) const { return query.contains(name); }
};

/// Decodes a target. Refused: bad escapes, NUL, an encoded slash, `.` and `..`. An empty segment in the middle finds
/// nothing (404), one trailing slash is forgiven.
answer<request_target> parse_target(std::string_view target);

/// What a /api or /apis path names.
struct resource_path {
  std::string group;
  std::string version;
  std::string ns;
  std::string resource;  ///< plural; empty: the group version itself
  std::string name;      ///< empty: the collection
  std::string subresource;
};

/// Reads `/api/v1/…` and `/apis/<group>/<version>/…`. nullopt: no such shape of path.
std::optional<resource_path> parse_resource_path(const std::vector<std::string>& segments);

/// `true`, `1`, `t` … as strconv.ParseBool; absent is false; nonsense is 400.
answer<bool> bool_param(const request_target& target, std::string_view name);

/// Undoes percent-encoding; nullopt on a broken escape. `plus` also turns `+` into a space (query strings).
std::optional<std::string> percent_decode(std::string_view text, bool plus);

}  // namespace wh
