#pragma once
#include <mutex>

#include "actors/actor.hpp"
#include "transport/pki.hpp"

namespace wh {

/// The crypto port on OpenSSL. Thread-safe. Without a CA it signs nothing (spokes).
class openssl_crypto final : public crypto_port {
 public:
  explicit openssl_crypto(key_and_cert ca = {}) : ca_(std::move(ca)) {}
  std::string sha256_hex(std::string_view bytes) const override;
  bool equal_secret(std::string_view a, std::string_view b) const override;
  result<std::string> new_key() override;
  result<std::string> make_csr(const std::string& key_pem, const std::string& common_name,
                               const std::vector<std::string>& organizations) override;
  result<csr_facts> inspect_csr(const std::string& csr_pem) const override;
  result<cert_facts> inspect_certificate(const std::string& cert_pem) const override;
  result<std::string> sign_client(const std::string& csr_pem, instant not_before, instant not_after) override;
  std::string ca_pem() const override { return ca_.cert_pem; }

 private:
  key_and_cert ca_;
};

}  // namespace wh
