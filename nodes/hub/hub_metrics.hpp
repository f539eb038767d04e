#pragma once
#include <string>

#include "actors/runtime/runtime.hpp"
#include "apiserver/api.hpp"
#include "apiserver/audit/audit_log.hpp"
#include "apiserver/fair_server.hpp"
#include "nodes/hub/backup_service.hpp"
#include "nodes/hub/link_host.hpp"

namespace wh {

/// What /metrics shows, in Prometheus' text format.
std::string hub_metrics(const store& data, const actor_runtime& runtime, const api_server& api,
                        const fair_figures& front, const hub_link_figures& link, const backup_figures& backups,
                        const audit_log* audit = nullptr);

}  // namespace wh
