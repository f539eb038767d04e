#pragma once
#include "actors/actor.hpp"
#include "transport/net.hpp"

namespace wh {

/// Deterministic stand-ins for keys, requests and certificates: readable text, no secrets, no OpenSSL. One object serves
/// one node; its keys are drawn from its seed.
///   key          key <number>
///   request      csr|<common name>|<org>;<org>|<digest of key>
///   certificate  cert|<common name>|<org>;<org>|<digest of key>|<not before>|<not after>
class fake_crypto final : public crypto_port {
 public:
  explicit fake_crypto(std::uint64_t seed, std::string ca = {}) : random_(seed), ca_(std::move(ca)) {}
  std::string sha256_hex(std::string_view bytes) const override;
  bool equal_secret(std::string_view a, std::string_view b) const override { return a == b; }
  result<std::string> new_key() override;
  result<std::string> make_csr(const std::string& key_pem, const std::string& common_name,
                               const std::vector<std::string>& organizations) override;
  result<csr_facts> inspect_csr(const std::string& csr_pem) const override;
  result<cert_facts> inspect_certificate(const std::string& cert_pem) const override;
  result<std::string> sign_client(const std::string& csr_pem, instant not_before, instant not_after) override;
  std::string ca_pem() const override { return ca_; }

 private:
  rng random_;
  std::string ca_;
};

/// The identity that a fake certificate proves, for the virtual network.
peer_identity fake_identity(const std::string& cert_pem);

}  // namespace wh
