#include "sim/fake_crypto.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace wh {
namespace {

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != at) continue;
    parts.emplace_back(text.substr(from, i - from));
    from = i + 1;
  }
  return parts;
}

std::string digest(std::string_view bytes) {
  std::string hex;
  // Four words, because callers cut names from the front of a SHA-256's 64 digits.
  for (std::uint64_t salt = 0; salt < 4; ++salt)
    hex += fmt::format("{:016x}", fnv1a(bytes, fnv1a(std::to_string(salt))));
  return hex;
}

}  // namespace

std::string fake_crypto::sha256_hex(std::string_view bytes) const { return digest(bytes); }

result<std::string> fake_crypto::new_key() { return fmt::format("key {}", random_.next()); }

result<std::string> fake_crypto::make_csr(const std::string& key_pem, const std::string& common_name,
                                          const std::vector<std::string>& organizations) {
  return fmt::format("csr|{}|{}|{}", common_name, fmt::join(organizations, ";"), digest(key_pem));
}

result<crypto_port::csr_facts> fake_crypto::inspect_csr(const std::string& csr_pem) const {
  const auto parts = split(csr_pem, '|');
  if (parts.size() != 4 || parts[0] != "csr") return fail(errc::malformed, "not a certificate request");
  return csr_facts{parts[1], split(parts[2], ';'), parts[3]};
}

result<crypto_port::cert_facts> fake_crypto::inspect_certificate(const std::string& cert_pem) const {
  const auto parts = split(cert_pem, '|');
  if (parts.size() != 6 || parts[0] != "cert") return fail(errc::malformed, "not a certificate");
  return cert_facts{parts[1], parts[3], instant(duration(std::stoll(parts[4]))),
                    instant(duration(std::stoll(parts[5])))};
}

result<std::string> fake_crypto::sign_client(const std::string& csr_pem, instant not_before, instant not_after) {
  const auto parts = split(csr_pem, '|');
  if (parts.size() != 4 || parts[0] != "csr") return fail(errc::malformed, "not a certificate request");
  return fmt::format("cert|{}|{}|{}|{}|{}", parts[1], parts[2], parts[3], not_before.time_since_epoch().count(),
                     not_after.time_since_epoch().count());
}

peer_identity fake_identity(const std::string& cert_pem) {
  const auto parts = split(cert_pem, '|');
  peer_identity peer;
  peer.has_certificate = parts.size() == 6;
  if (!peer.has_certificate) return peer;
  peer.subj = {parts[1], split(parts[2], ';')};
  peer.public_key_sha256 = parts[3];
  peer.not_before = instant(duration(std::stoll(parts[4])));
  peer.not_after = instant(duration(std::stoll(parts[5])));
  return peer;
}

}  // namespace wh
