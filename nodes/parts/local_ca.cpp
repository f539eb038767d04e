#include "nodes/parts/local_ca.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/common/files.hpp"

namespace wh {
namespace {

constexpr duration ca_life = std::chrono::hours(24 * 3650);
constexpr duration admin_life = std::chrono::hours(24 * 365);
/// For peers whose clocks are behind, by a wrong time zone or a day: what is signed now is good for them, too.
constexpr duration clock_slack = std::chrono::hours(25);

bool is_ip(const std::string& name) {
  return name.find(':') != std::string::npos || (!name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || c == '.';
         }));
}

result<key_and_cert> issue(const key_and_cert& ca, leaf_profile profile, instant now, duration life) {
  profile.not_before = now - clock_slack;
  profile.not_after = now + life;
  auto key = generate_key();
  if (!key) return key.err();
  auto cert = issue_for_key(ca, *key, profile);
  if (!cert) return cert.err();
  return key_and_cert{*key, *cert};
}

result<key_and_cert> create_ca(const std::string& key_file, const std::string& cert_file,
                               const std::string& common_name, instant now) {
  auto key = generate_key();
  if (!key) return key.err();
  auto cert = make_ca_certificate(*key, common_name, now - clock_slack, now + ca_life);
  if (!cert) return cert.err();
  if (auto ok = write_file_atomically(key_file, *key, 0600); !ok) return ok.err();
  if (auto ok = write_file_atomically(cert_file, *cert, 0644); !ok) return ok.err();
  return key_and_cert{*key, *cert};
}

constexpr const char* restore_both = "restore both from a backup of the data folder";

error lost_key(const std::string& key_file, const std::string& cert_file) {
  return fail(errc::not_found,
              fmt::format("{} is missing, but its certificate {} is there: {}", key_file, cert_file, restore_both));
}

/// Each refusal names the file and what cures it: an authority that starts with a wrong key would sign what nobody believes.
result<void> check_ca(const std::string& key_file, const std::string& key, const std::string& cert_file,
                      const std::string& cert, instant now) {
  const auto info = inspect_certificate(cert);
  if (!info) return fail(errc::corrupt, fmt::format("{}: {}: {}", cert_file, info.err().message, restore_both));
  if (auto sound = check_private_key(key); !sound)
    return fail(errc::corrupt, fmt::format("{}: {}: {}", key_file, sound.err().message, restore_both));
  if (!info->is_ca)
    return fail(errc::corrupt, fmt::format("{}: the certificate is not a CA's: {}", cert_file, restore_both));
  const auto fits = key_matches(key, cert);
  if (!fits) return fail(fits.err().code, fmt::format("{} and {}: {}", key_file, cert_file, fits.err().message));
  if (!*fits) return fail(errc::corrupt, fmt::format("{} is not the key of {}: {}", key_file, cert_file, restore_both));
  if (now >= info->not_after)
    return fail(errc::invalid,
                fmt::format("{}: the CA expired on {}: if this machine's clock is right, move {} and {} away to make a "
                            "new CA; whoever trusts the old one must then be told of the new one (clusters join again)",
                            cert_file, to_rfc3339(info->not_after), key_file, cert_file));
  if (now < info->not_before)
    return fail(errc::invalid,
                fmt::format("{}: the CA begins on {} only, and this machine's clock says {}: set the clock", cert_file,
                            to_rfc3339(info->not_before), to_rfc3339(now)));
  return {};
}

}  // namespace

result<key_and_cert> open_local_ca(const std::string& folder, const std::string& common_name, instant now) {
  if (auto ok = make_folder(folder, 0700); !ok) return ok.err();
  const std::string key_file = folder + "/ca.key", cert_file = folder + "/ca.crt";
  auto key = read_secret_file(key_file);
  auto cert = read_file(cert_file);
  // A crash between the two writes leaves a key that nobody has trusted yet.
  if (!cert && cert.err().code == errc::not_found && (key || key.err().code == errc::not_found))
    return create_ca(key_file, cert_file, common_name, now);
  if (!key) return key.err().code == errc::not_found ? lost_key(key_file, cert_file) : key.err();
  if (!cert) return cert.err();
  if (auto ok = check_ca(key_file, *key, cert_file, *cert, now); !ok) return ok.err();
  return key_and_cert{*key, *cert};
}

result<key_and_cert> make_server_identity(const key_and_cert& ca, const std::vector<std::string>& names, instant now,
                                          duration life) {
  leaf_profile profile;
  profile.subj = {"wheelhouse", {}};
  profile.server_auth = true;
  for (const auto& name : names) {
    auto& list = is_ip(name) ? profile.ip_addresses : profile.dns_names;
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  }
  return issue(ca, std::move(profile), now, life);
}

result<key_and_cert> make_admin_identity(const key_and_cert& ca, const std::string& user, instant now) {
  leaf_profile profile;
  profile.subj = {user, {"system:masters"}};
  profile.client_auth = true;
  return issue(ca, std::move(profile), now, admin_life);
}

tls_config server_tls(const key_and_cert& ca, const key_and_cert& identity, bool tls13_only) {
  tls_config tls;
  tls.identity = identity;
  tls.chain_pem = ca.cert_pem;
  tls.trusted_ca_pem = ca.cert_pem;
  tls.request_client_cert = true;
  tls.tls13_only = tls13_only;
  return tls;
}

}  // namespace wh
