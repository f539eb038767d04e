#include "transport/openssl.hpp"

#include <arpa/inet.h>
#include <openssl/decoder.h>

#include <array>
#include <ctime>

#include "base/encoding.hpp"

namespace wh::ossl {
namespace {

// PEM text comes from flags, files and peers; anything larger than this is not a certificate.
constexpr std::size_t pem_bytes_max = 1024 * 1024;

result<bio_ptr> reading(const std::string& pem) {
  if (pem.size() > pem_bytes_max) return fail(errc::too_large, "PEM text is larger than 1 MiB");
  bio_ptr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return failure(errc::internal, "no memory for PEM text");
  return bio;
}

result<std::string> entry_text(const X509_NAME_ENTRY* entry) {
  unsigned char* utf8 = nullptr;
  const int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
  if (n < 0) return failure(errc::malformed, "subject is not text");
  const owned<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> guard(utf8);
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(n));
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return fail(errc::invalid, "subject holds a NUL or control character");
  }
  return text;
}

bool shares_its_rdn(const X509_NAME* name, int index) {
  const int count = X509_NAME_entry_count(name);
  const int set = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, index));
  for (int i = 0; i < count; ++i)
    if (i != index && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i)) == set) return true;
  return false;
}

result<void> add_entry(X509_NAME* name, int nid, const std::string& text) {
  // A plain UTF8String: through MBSTRING_UTF8 OpenSSL would refuse names above X.520's 64 characters, which Kubernetes'
  // user names (system:open-cluster-management:<cluster>:<agent>) do exceed and every reader of them accepts.
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, bytes, static_cast<int>(text.size()), -1, 0) != 1)
    return failure(errc::internal, "cannot build subject");
  return {};
}

result<void> check_subject_text(const std::string& text, std::string_view what) {
  if (text.empty()) return fail(errc::invalid, std::string(what) + " of the subject is empty");
  if (text.size() > 1024) return fail(errc::too_large, std::string(what) + " of the subject is longer than 1024 bytes");
  if (!is_utf8(text)) return fail(errc::invalid, std::string(what) + " of the subject is not UTF-8");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      return fail(errc::invalid, std::string(what) + " of the subject holds a control character");
  }
  return {};
}

std::string address_text(const ASN1_OCTET_STRING* ip) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const int n = ASN1_STRING_length(ip);
  if (n != 4 && n != 16) return "?";
  inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), out.data(), out.size());
  return out.data();
}

}  // namespace

int no_passphrase(char*, int, int, void*) { return -1; }

std::string error_text() {
  std::string text;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const char* reason = ERR_reason_error_string(code);
    if (!text.empty()) text += "; ";
    text += reason != nullptr ? reason : "error " + std::to_string(code);
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') text += std::string(" (") + data + ")";
  }
  return text.empty() ? "no reason given" : text;
}

error failure(errc code, std::string what) { return fail(code, std::move(what) + ": " + error_text()); }

namespace {

/// For the keys that are our own: told what to expect, OpenSSL 3.0 takes 100 us instead of 450. Null: it is another key.
pkey_ptr read_ec_key(const std::string& pem) {
  EVP_PKEY* key = nullptr;
  const owned<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free> decoder(
      OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", "PrivateKeyInfo", "EC", EVP_PKEY_KEYPAIR, nullptr, nullptr));
  const auto bio = reading(pem);
  if (decoder && bio) OSSL_DECODER_from_bio(decoder.get(), bio->get());
  ERR_clear_error();
  return pkey_ptr(key);
}

}  // namespace

result<pkey_ptr> read_private_key(const std::string& pem) {
  if (pem.starts_with("-----BEGIN PRIVATE KEY-----"))
    if (auto key = read_ec_key(pem)) return key;
  auto bio = reading(pem);
  if (!bio) return bio.err();
  ERR_clear_error();
  pkey_ptr key(PEM_read_bio_PrivateKey(bio->get(), nullptr, no_passphrase, nullptr));
  if (!key) return failure(errc::malformed, "private key");
  return key;
}

result<x509_ptr> read_certificate(const std::string& pem) {
  auto bio = reading(pem);
  if (!bio) return bio.err();
  ERR_clear_error();
  x509_ptr cert(PEM_read_bio_X509(bio->get(), nullptr, no_passphrase, nullptr));
  if (!cert) return failure(errc::malformed, "certificate");
  return cert;
}

result<std::vector<x509_ptr>> read_certificates(const std::string& pem) {
  auto bio = reading(pem);
  if (!bio) return bio.err();
  std::vector<x509_ptr> certs;
  ERR_clear_error();
  while (true) {
    x509_ptr cert(PEM_read_bio_X509(bio->get(), nullptr, no_passphrase, nullptr));
    if (!cert) break;
    certs.push_back(std::move(cert));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certs.empty() || !at_end) return failure(errc::malformed, "certificates");
  ERR_clear_error();
  return certs;
}

result<std::string> write_certificate(X509* cert) {
  bio_ptr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), cert) != 1) return failure(errc::internal, "cannot encode certificate");
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(n));
}

result<subject> read_subject(const X509_NAME* name) {
  subject subj;
  bool named = false;
  const int count = X509_NAME_entry_count(name);
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (nid != NID_commonName && nid != NID_organizationName) continue;
    auto text = entry_text(entry);
    if (!text) return text.err();
    if (nid == NID_organizationName) {
      subj.organizations.push_back(std::move(*text));
      continue;
    }
    if (named) return fail(errc::invalid, "subject has more than one common name");
    if (shares_its_rdn(name, i)) return fail(errc::invalid, "subject has a common name within a multi-valued RDN");
    named = true;
    subj.common_name = std::move(*text);
  }
  return subj;
}

result<name_ptr> write_subject(const subject& subj) {
  name_ptr name(X509_NAME_new());
  if (!name) return failure(errc::internal, "no memory for a subject");
  for (const auto& group : subj.organizations) {
    if (auto ok = check_subject_text(group, "an organization"); !ok) return ok.err();
    if (auto ok = add_entry(name.get(), NID_organizationName, group); !ok) return ok.err();
  }
  if (auto ok = check_subject_text(subj.common_name, "common name"); !ok) return ok.err();
  if (auto ok = add_entry(name.get(), NID_commonName, subj.common_name); !ok) return ok.err();
  return name;
}

std::string public_key_sha256(X509* cert) {
  unsigned char* der = nullptr;
  const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
  if (n <= 0) return {};
  const owned<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> guard(der);
  return sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(n)});
}

std::string serial_hex(X509* cert) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(cert);
  return to_hex({reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                 static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

result<instant> read_time(const ASN1_TIME* t) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(t, &parts) != 1) return failure(errc::malformed, "certificate time");
  return instant(std::chrono::seconds(timegm(&parts)));
}

result<void> check_key_strength(EVP_PKEY* key) {
  if (key == nullptr) return failure(errc::malformed, "public key");
  const int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    if (bits < 2048) return fail(errc::invalid, "RSA key of " + std::to_string(bits) + " bits is weaker than 2048");
    if (bits > 8192) return fail(errc::invalid, "RSA key of " + std::to_string(bits) + " bits is larger than 8192");
    return {};
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1) return {};
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 64> group{};
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1)
      return fail(errc::invalid, "EC key on a curve without a name");
    const std::string_view curve = group.data();
    if (curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1") return {};
    return fail(errc::invalid, "EC key on curve " + std::string(curve) + "; use P-256, P-384 or P-521");
  }
  return fail(errc::invalid, "key type is not one of EC, RSA, Ed25519, Ed448");
}

std::string alternative_names(X509* cert) {
  std::string out;
  const owned<GENERAL_NAMES, GENERAL_NAMES_free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS)
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) text = address_text(name->d.iPAddress);
    if (text.empty()) continue;
    if (!out.empty()) out += ", ";
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace wh::ossl
