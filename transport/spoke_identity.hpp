#pragma once
#include <string>

#include "base/result.hpp"
#include "transport/pki.hpp"

namespace wh {

/// The agent that a spoke's client certificate speaks for.
struct spoke_identity {
  std::string cluster;
  std::string agent;
  friend bool operator==(const spoke_identity&, const spoke_identity&) = default;
};

/// Reads OCM's subject of a klusterlet: CN `system:open-cluster-management:<cluster>:<agent>`, and as organizations exactly
/// `system:open-cluster-management:<cluster>` and `system:open-cluster-management:managed-clusters`, in any order. Anything
/// else, a user's certificate of the same CA included, is errc::forbidden.
result<spoke_identity> identity_of(const subject& subj);

/// The subject that identity_of() reads back.
subject subject_of(const spoke_identity& identity);

}  // namespace wh
