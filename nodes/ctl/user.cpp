#include "nodes/ctl/user.hpp"

#include <ostream>

#include "base/encoding.hpp"
#include "nodes/common/files.hpp"
#include "transport/pki.hpp"

namespace wh::ctl {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(100);
constexpr const char* signer = "kubernetes.io/kube-apiserver-client";
/// As Kubernetes: nobody asks for less.
constexpr duration life_min = std::chrono::minutes(10);

result<void> check(const create_user_options& o) {
  if (o.name.empty()) return fail(errc::invalid, "the user's name must not be empty");
  if (o.name.starts_with("system:"))
    return fail(errc::invalid, "names that start with \"system:\" are the server's own: " + o.name);
  for (const auto& g : o.groups) {
    if (g.empty()) return fail(errc::invalid, "--group must not be empty");
    if (g == "system:masters") return fail(errc::forbidden, "group system:masters cannot be signed for");
  }
  if (o.life && *o.life < life_min) return fail(errc::invalid, "--duration must be at least 10m");
  if (!o.file.empty() && !o.force && file_exists(o.file))
    return fail(errc::already_exists, o.file + " exists; --force replaces it");
  return {};
}

result<void> approve(console& c, document csr) {
  csr["status"]["conditions"].push_back({{"type", "Approved"},
                                         {"status", "True"},
                                         {"reason", "WhctlCreateUser"},
                                         {"message", "This CSR was approved by whctl create user."},
                                         {"lastUpdateTime", to_rfc3339(c.now())}});
  auto done = c.hub.replace(csr_path(name_of(csr), "approval"), csr);
  if (!done) return done.err();
  return {};
}

/// Waits for the certificate, PEM.
result<std::string> collect(console& c, const std::string& name, duration timeout) {
  const auto deadline = c.now() + timeout;
  while (true) {
    auto csr = c.hub.get(csr_path(name));
    if (!csr) return csr.err();
    if (const auto text = string_at(*csr, {"status", "certificate"}); !text.empty()) return from_base64(text);
    if (const auto* conditions = find_path(*csr, {"status", "conditions"}))
      for (const char* type : {"Failed", "Denied"})
        if (const auto* why = find_condition(*conditions, type))
          return fail(errc::forbidden, "the certificate was refused: " + std::string(string_at(*why, {"message"})));
    if (c.now() >= deadline)
      return fail(errc::timeout, "the hub has not signed request " + name + " in time; it is approved, so look again");
    c.sleep(poll_interval);
  }
}

result<std::string> certificate_for(console& c, const std::string& key, const create_user_options& options) {
  auto request = make_csr(key, {options.name, options.groups});
  if (!request) return request.err();
  auto made = c.hub.create(csr_path(), user_request(*request, options));
  if (!made) return made.err();
  const std::string name(name_of(*made));
  if (auto ok = approve(c, std::move(*made)); !ok) return ok.err();
  auto certificate = collect(c, name, options.timeout);
  // The request has served its purpose; that it stays when it cannot be deleted hurts nobody.
  if (certificate) (void)c.hub.remove(csr_path(name));
  return certificate;
}

std::string server_ca(const console& c) { return c.hub.access().tls.trusted_ca_pem; }

}  // namespace

document user_request(const std::string& csr_pem, const create_user_options& options) {
  document spec = {
      {"request", to_base64(csr_pem)}, {"signerName", signer}, {"usages", document::array({"client auth"})}};
  if (options.life) spec["expirationSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(*options.life).count();
  return {{"apiVersion", "certificates.k8s.io/v1"},
          {"kind", "CertificateSigningRequest"},
          {"metadata", {{"generateName", "user-"}}},
          {"spec", std::move(spec)}};
}

int create_user(console& c, const create_user_options& options) {
  if (auto ok = check(options); !ok) return report(c, ok.err());
  auto key = generate_key();
  if (!key) return report(c, key.err());
  auto certificate = certificate_for(c, *key, options);
  if (!certificate) return report(c, certificate.err());
  const auto text = kubeconfig_text({options.name, c.hub.access().server, server_ca(c), {*key, *certificate}});
  if (options.file.empty()) {
    c.out << text;
    return exit_ok;
  }
  if (auto ok = write_file_atomically(options.file, text, 0600); !ok) return report(c, ok.err());
  c.out << "user " << options.name << ": kubeconfig written to " << options.file << "\n";
  return exit_ok;
}

}  // namespace wh::ctl
