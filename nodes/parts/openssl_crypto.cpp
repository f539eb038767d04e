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
  auto info = wh::inspect_csr(csr_pem);
  if (!info) return info.err();
  return csr_facts{info->subj.common_name, info->subj.organizations, info->public_key_sha256};
}

result<crypto_port::cert_facts> openssl_crypto::inspect_certificate(const std::string& cert_pem) const {
  auto info = wh::inspect_certificate(cert_pem);
  if (!info) return info.err();
  return cert_facts{info->subj.common_name, info->public_key_sha256, info->not_before, info->not_after};
}

result<std::string> openssl_crypto::sign_client(const std::string& csr_pem, instant not_before, instant not_after) {
  if (ca_.key_pem.empty()) return fail(errc::unsupported, "this node has no certificate authority");
  auto info = wh::inspect_csr(csr_pem);
  if (!info) return info.err();
  return issue_for_csr(ca_, csr_pem,
                       {.subj = info->subj,
                        .server_auth = false,
                        .client_auth = true,
                        .dns_names = {},
                        .ip_addresses = {},
                        .not_before = not_before,
                        .not_after = not_after});
}

}  // namespace wh
