#include "nodes/hub/link_audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

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

/// Lets a bounded number through in each window of time.
class line_bound {
 public:
  /// How many were left out since the last one that passed; nullopt: this one is, too.
  std::optional<std::uint64_t> pass(instant now) {
    constexpr duration window = std::chrono::seconds(10);
    constexpr int lines_max = 100;
    const std::lock_guard lock(mutex_);
    if (now - since_ >= window || now < since_) since_ = now, passed_ = 0;
    if (passed_ >= lines_max) return ++left_out_, std::nullopt;
    ++passed_;
    return std::exchange(left_out_, 0);
  }

 private:
  std::mutex mutex_;
  instant since_{};
  int passed_ = 0;
  std::uint64_t left_out_ = 0;
};

/// What a stranger's certificate says: it may be long, and must not look like more than one name.
std::string claim_of(const subject& s) {
  constexpr std::size_t shown_max = 300;
  auto text = "CN=" + s.common_name;
  for (const auto& o : s.organizations) text += ", O=" + o;
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text.substr(0, shown_max);
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

refused_client_function audit_of_handshakes(audit_trail* trail, std::function<instant()> now) {
  if (!trail) return {};
  struct state {
    line_bound bound;
    std::atomic<std::uint64_t> count = 0;
  };
  return [trail, now = std::move(now), kept = std::make_shared<state>()](const refused_client& c) {
    if (!trail->records_denials()) return;
    audit_record record;
    record.received = record.at = now();
    const auto left_out = kept->bound.pass(record.at);
    if (!left_out) return;
    record.id = fmt::format("tls-{}-{}", record.at.time_since_epoch().count(), ++kept->count);
    record.uri = "/tls";
    record.verb = "connect";
    record.user = {.name = "system:anonymous", .groups = {"system:unauthenticated"}};
    record.source = c.remote;
    record.code = 401;
    record.reason = "Unauthorized";
    record.message = fmt::format("{}; it claims to be {}", c.why, claim_of(c.claimed));
    if (*left_out > 0) record.message += fmt::format(" ({} more refusals were not written down)", *left_out);
    trail->record(std::move(record));
  };
}

}  // namespace wh
