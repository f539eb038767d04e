#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "apiserver/audit/audit_log.hpp"
#include "nodes/common/options.hpp"
#include "nodes/hub/oidc_settings.hpp"

namespace wh {

/// Who is believed, and what is written down about them: flags of the hub.
struct access_settings {
  std::string token_issuer = "https://kubernetes.default.svc";
  std::string audit_log;     ///< empty: data_dir/audit/audit.log; `off`: none
  std::string audit_policy;  ///< a file; empty: the standard policy
  std::uint64_t audit_mib = 100;
  std::uint64_t audit_files = 10;
  oidc_settings oidc;
};

void add_access_options(command& program, access_settings& s);
result<void> validate(const access_settings& s);

/// Opens the audit log; null when it is switched off. Errors name the file and what is wrong with it.
result<std::unique_ptr<audit_log>> open_audit(const access_settings& s, const std::string& data_dir);

}  // namespace wh
