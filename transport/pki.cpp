#include "transport/pki.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>

#include "base/assert.hpp"
#include "base/encoding.hpp"
#include "transport/openssl.hpp"

namespace wh {

using namespace ossl;

result<std::string> generate_key() {
  ERR_clear_error();
  const pkey_ptr key(EVP_EC_gen("P-256"));
  if (!key) return failure(errc::internal, "cannot generate a P-256 key");
  const bio_ptr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failure(errc::internal, "cannot encode a private key");
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(n));
}

result<cert_info> inspect_certificate(const std::string& cert_pem) {
  auto cert = read_certificate(cert_pem);
  if (!cert) return cert.err();
  X509* x = cert->get();
  auto subj = read_subject(X509_get_subject_name(x));
  if (!subj) return subj.err();
  const auto not_before = read_time(X509_get0_notBefore(x));
  if (!not_before) return not_before.err();
  const auto not_after = read_time(X509_get0_notAfter(x));
  if (!not_after) return not_after.err();

  cert_info info;
  info.subj = std::move(*subj);
  info.not_before = *not_before;
  info.not_after = *not_after;
  info.is_ca = X509_check_ca(x) == 1;
  const std::uint32_t flags = X509_get_extension_flags(x);
  if ((flags & EXFLAG_INVALID) != 0) return fail(errc::malformed, "certificate: an extension does not parse");
  const std::uint32_t usage = (flags & EXFLAG_XKUSAGE) != 0 ? X509_get_extended_key_usage(x) : 0;
  info.client_auth = (usage & XKU_SSL_CLIENT) != 0;
  info.server_auth = (usage & XKU_SSL_SERVER) != 0;
  info.serial_hex = serial_hex(x);
  info.public_key_sha256 = public_key_sha256(x);
  return info;
}

result<void> check_private_key(const std::string& key_pem) {
  const auto key = read_private_key(key_pem);
  if (!key) return key.err();
  return check_key_strength(key->get());
}

result<bool> key_matches(const std::string& key_pem, const std::string& cert_pem) {
  const auto key = read_private_key(key_pem);
  if (!key) return key.err();
  const auto cert = read_certificate(cert_pem);
  if (!cert) return cert.err();
  const bool same = X509_check_private_key(cert->get(), key->get()) == 1;
  ERR_clear_error();
  return same;
}

result<std::string> ca_pin(const std::string& ca_cert_pem) {
  const auto cert = read_certificate(ca_cert_pem);
  if (!cert) return cert.err();
  return "sha256:" + public_key_sha256(cert->get());
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned n = 0;
  WH_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &n, EVP_sha256(), nullptr) == 1);
  return to_hex({reinterpret_cast<const char*>(digest.data()), n});
}

std::string random_bytes(std::size_t n) {
  std::string out(n, '\0');
  // Carrying on with predictable keys or tokens would be worse than stopping.
  WH_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n)) == 1);
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace wh
