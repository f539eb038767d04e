#include "nodes/hub/access_settings.hpp"

#include "nodes/common/files.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "nodes/parts/clock.hpp"
#include "nodes/parts/node_log.hpp"

namespace wh {
namespace {

constexpr std::size_t policy_bytes_max = 256 * 1024;

result<audit_policy> read_policy(const std::string& file) {
  if (file.empty()) return audit_policy::standard();
  auto text = read_file(file, policy_bytes_max);
  if (!text) return fail(text.err().code, "--audit-policy: " + text.err().message);
  auto policy = audit_policy::parse(*text);
  if (!policy) return fail(policy.err().code, file + ": " + policy.err().message);
  return policy;
}

}  // namespace

void add_access_options(command& program, access_settings& s) {
  program.add({.name = "service-account-issuer",
               .value = "URL",
               .help = "Issuer that tokens of ServiceAccounts name; where others find the keys to check them",
               .group = "Access"},
              s.token_issuer);
  program.add({.name = "audit-log",
               .value = "FILE",
               .help = "Where requests are written down; default: audit/audit.log in the data folder; off: nowhere",
               .group = "Access"},
              s.audit_log);
  program.add({.name = "audit-policy",
               .value = "FILE",
               .help = "Which requests are written down: an audit.k8s.io/v1 Policy; default: writes and refusals",
               .group = "Access"},
              s.audit_policy);
  program.add({.name = "audit-max-size",
               .value = "MIB",
               .help = "Size at which the audit log is put aside and begun anew, in MiB",
               .group = "Access"},
              s.audit_mib);
  program.add({.name = "audit-max-files",
               .value = "N",
               .help = "How many audit logs that were put aside are kept; 0: all of them",
               .group = "Access"},
              s.audit_files);
  add_oidc_options(program, s.oidc);
}

result<void> validate(const access_settings& s) {
  if (auto url = parse_server_url(s.token_issuer); !url)
    return fail(errc::invalid, "--service-account-issuer must be an https URL: " + url.err().message);
  if (s.audit_mib == 0 || s.audit_mib > 1024 * 1024)
    return fail(errc::invalid, "--audit-max-size must be between 1 and 1048576 MiB");
  return validate(s.oidc);
}

result<std::unique_ptr<audit_log>> open_audit(const access_settings& s, const std::string& data_dir) {
  if (s.audit_log == "off") return std::unique_ptr<audit_log>();
  auto policy = read_policy(s.audit_policy);
  if (!policy) return policy.err();
  audit_log_options o;
  o.file = s.audit_log;
  if (o.file.empty()) {
    if (auto ok = make_folder(data_dir + "/audit", 0700); !ok) return ok.err();
    o.file = data_dir + "/audit/audit.log";
  }
  o.limits = {s.audit_mib << 20, s.audit_files};
  o.policy = std::move(*policy);
  o.now = wall_clock;
  o.complain = [](const std::string& text) { log_warning("audit", text); };
  auto opened = audit_log::open(std::move(o));
  if (!opened) return fail(opened.err().code, "--audit-log: " + opened.err().message);
  return opened;
}

}  // namespace wh
