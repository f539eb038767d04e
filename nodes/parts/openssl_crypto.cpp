#include "nodes/parts/openssl_crypto.hpp"

namespace wh {

std::string openssl_crypto::sha256_hex(std::string_view bytes) const { return wh::sha256_hex(bytes); }

bool openssl_crypto::equal_secret(std::string_view a, std::string_view b) const { return equal_constant_time(a, b); }

result<std::string> openssl_crypto::new_key() { return generate_key(); }

result<std::string> openssl_crypto::make_csr(const std::string& key_pem, const std::string& common_name,
                                             const std::vector<std::string>& organizations) {
  return wh::make_csr(key_pem, {common_name, organizations});
}

result<crypto_port::csr_facts> openssl_crypto::inspect_csr(const std::string& csr_pem) const {
  const auto csr = checked(csr_pem);
  if (!csr) return csr.err();
  const csr_info& info = (*csr)->info();
  return csr_facts{info.subj.common_name, info.subj.organizations, info.public_key_sha256};
}

result<std::shared_ptr<const checked_csr>> openssl_crypto::checked(const std::string& csr_pem) const {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& each : seen_)
      if (each.csr && each.pem == csr_pem) return each.csr;
  }
  auto csr = check_csr(csr_pem);
  if (!csr) return csr.err();
  const std::lock_guard lock(mutex_);
  seen_[next_seen_] = {csr_pem, *csr};
  next_seen_ = (next_seen_ + 1) % seen_.size();
  return csr;
}

result<std::shared_ptr<const certificate_signer>> openssl_crypto::signer() {
  const std::lock_guard lock(mutex_);
  if (signer_) return signer_;
  if (ca_.key_pem.empty()) return fail(errc::unsupported, "this node has no certificate authority");
  auto opened = open_signer(ca_);
  if (!opened) return opened.err();
  signer_ = *std::move(opened);
  return signer_;
}

result<crypto_port::cert_facts> openssl_crypto::inspect_certificate(const std::string& cert_pem) const {
  auto info = wh::inspect_certificate(cert_pem);
  if (!info) return info.err();
  return cert_facts{info->subj.common_name, info->public_key_sha256, info->not_before, info->not_after};
}

result<std::string> openssl_crypto::sign_client(const std::string& csr_pem, instant not_before, instant not_after) {
  const auto ca = signer();
  if (!ca) return ca.err();
  const auto csr = checked(csr_pem);
  if (!csr) return csr.err();
  return (*ca)->issue(**csr, {.subj = (*csr)->info().subj,
                              .server_auth = false,
                              .client_auth = true,
                              .dns_names = {},
                              .ip_addresses = {},
                              .not_before = not_before,
                              .not_after = not_after});
}

}  // namespace wh
