#pragma once
#include <memory>
#include <string>

#include "sim/process/admin_client.hpp"

namespace wh {

struct approver_options {
  std::string prefix;  ///< of the names of the clusters that it lets in
  /// Whose requests it approves. The hub approves renewals, which clusters ask for themselves.
  std::string requester_prefix = "system:bootstrap:";
  std::size_t in_flight_max = 64;
  int attempts_max = 100;  ///< for one request or cluster, through failures that may pass; some minutes
};

struct approver_figures {
  std::uint64_t approved = 0;  ///< certificate requests
  std::uint64_t accepted = 0;  ///< clusters
  std::uint64_t waiting = 0;   ///< seen, and neither done nor given up
  std::uint64_t retries = 0;
  std::uint64_t failures = 0;  ///< given up
  std::string last_problem;
};

/// An administrator who says yes: watches certificate requests and clusters, and approves and accepts whatever carries
/// the prefix, as soon as it is seen.
class approver {
 public:
  approver(admin_client& admin, approver_options options);
  ~approver();
  approver(const approver&) = delete;
  approver& operator=(const approver&) = delete;

  /// Waits until it sees what the hub has now.
  result<void> wait_watching(duration timeout) const;
  approver_figures figures() const;

 private:
  class core;
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace wh
