#pragma once
#include <functional>

#include "apiserver/audit/audit.hpp"
#include "nodes/hub/link_host.hpp"

namespace wh {

/// Writes what the link refuses into the audit log, as the API's refusals are: who came from where, for which cluster, and
/// why not. `trail` may be null. Thread-safe.
std::function<void(const link_refusal&)> audit_of_links(audit_trail* trail, std::function<instant()> now);

}  // namespace wh
