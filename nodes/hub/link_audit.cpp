#include "nodes/hub/link_audit.hpp"

#include <atomic>

namespace wh {
namespace {

struct http_status {
  int code;
  const char* reason;
};

/// As the API would answer the same refusal.
http_status status_of(errc code) {
  switch (code) {
    case errc::unauthorized: return {401, "Unauthorized"};
    case errc::forbidden: return {403, "Forbidden"};
    case errc::not_found: return {404, "NotFound"};
    case errc::already_exists: return {409, "AlreadyExists"};
    case errc::conflict: return {409, "Conflict"};
    default: return {400, "BadRequest"};
  }
}

}  // namespace

std::function<void(const link_refusal&)> audit_of_links(audit_trail* trail, std::function<instant()> now) {
  if (!trail) return {};
  const auto count = std::make_shared<std::atomic<std::uint64_t>>(0);
  return [trail, now = std::move(now), count](const link_refusal& r) {
    if (!trail->records_denials()) return;
    const auto status = status_of(r.why.code);
    audit_record record;
    record.received = record.at = now();
    record.id = "link-" + std::to_string(record.at.time_since_epoch().count()) + "-" + std::to_string(++*count);
    record.uri = "/link/" + r.cluster;
    record.verb = "connect";
    record.user = {.name = r.user.common_name.empty() ? "system:anonymous" : r.user.common_name,
                   .groups = r.user.organizations};
    record.source = r.remote;
    record.agent = r.software;
    record.group = "cluster.open-cluster-management.io";
    record.version = "v1";
    record.resource = "managedclusters";
    record.subresource = "link";
    record.name = r.cluster;
    record.code = status.code;
    record.reason = status.reason;
    record.message = r.why.message;
    trail->record(std::move(record));
  };
}

}  // namespace wh
