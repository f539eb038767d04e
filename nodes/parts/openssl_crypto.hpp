#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <string>

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
  result<std::shared_ptr<const checked_csr>> checked(const std::string& csr_pem) const;
  result<std::shared_ptr<const certificate_signer>> signer();

  const key_and_cert ca_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::shared_ptr<const certificate_signer> signer_;
  /// The requests read last: several actors look at the same one in a row.
  struct seen_csr {
    std::string pem;
    std::shared_ptr<const checked_csr> csr;
  };
  mutable std::array<seen_csr, 64> seen_;
  mutable std::size_t next_seen_ = 0;
};

}  // namespace wh
