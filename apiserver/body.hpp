#pragma once
#include <optional>
#include <string>
#include <vector>

#include "apiserver/core.hpp"

namespace wh {

/// Query options of a write.
struct write_options {
  enum class unknown_fields { ignore, warn, strict };
  bool dry_run = false;
  unknown_fields unknown = unknown_fields::warn;
  std::string manager;   ///< who owns what the write changes
  bool applied = false;  ///< server-side apply: the owners are settled before the object is
  bool force = false;    ///< of an apply: takes what others own
};
/// 422 for a fieldManager that is none, or `force` on something else than an apply.
answer<write_options> parse_write_options(const api_call& call);

/// Decodes a request body that holds an object (JSON, YAML or Kubernetes protobuf) and checks that it is of the kind
/// and version of the endpoint; both are filled in when absent.
answer<document> read_object(api_call& call);
answer<void> check_kind(const kind_info& kind, document& doc);

/// meta/v1 DeleteOptions, from body and query.
struct delete_options {
  bool dry_run = false;
  std::string uid;
  std::string resource_version;
  std::string propagation;  ///< "", Foreground, Background, Orphan
  std::optional<std::int64_t> grace_seconds;
};
answer<delete_options> read_delete_options(const api_call& call);

/// A request body of a virtual resource, whose kind the registry does not know.
answer<document> read_plain_object(const api_call& call);

}  // namespace wh
