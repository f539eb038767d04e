// Making certificates and signing requests; reading them is in pki.cpp.
#include <algorithm>
#include <ctime>

#include "transport/openssl.hpp"
#include "transport/pki.hpp"

namespace wh {
namespace {

using namespace ossl;

std::time_t seconds_of(instant t) {
  return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count());
}

result<void> set_serial(X509* cert) {
  const bignum_ptr serial(BN_new());
  // 128 random bits, the top one set: never zero, and as unguessable as RFC 5280's 20 octets need.
  if (!serial || BN_rand(serial.get(), 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(cert)) == nullptr)
    return failure(errc::internal, "cannot make a serial number");
  return {};
}

result<void> set_validity(X509* cert, instant not_before, instant not_after) {
  if (not_after <= not_before) return fail(errc::invalid, "certificate would end before it begins");
  if (ASN1_TIME_set(X509_getm_notBefore(cert), seconds_of(not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(cert), seconds_of(not_after)) == nullptr)
    return failure(errc::invalid, "certificate time out of range");
  return {};
}

/// Adds one extension in OpenSSL's configuration syntax. The values are ours: nothing from outside may reach it.
result<void> add_extension(X509* cert, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  const owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(cert, extension.get(), -1) != 1)
    return failure(errc::internal, std::string("cannot add extension ") + OBJ_nid2sn(nid));
  return {};
}

bool dns_name_like(const std::string& name) {
  if (name.empty() || name.size() > 253 || name.front() == '.' || name.back() == '.') return false;
  const std::string rest = name.starts_with("*.") ? name.substr(2) : name;
  if (rest.empty() || rest.find("..") != std::string::npos) return false;
  return std::all_of(rest.begin(), rest.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

result<void> push_dns_name(GENERAL_NAMES* names, const std::string& text) {
  if (!dns_name_like(text)) return fail(errc::invalid, "'" + text + "' is not a DNS name");
  owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  owned<ASN1_IA5STRING, ASN1_IA5STRING_free> value(ASN1_IA5STRING_new());
  if (!name || !value || ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) != 1)
    return failure(errc::internal, "no memory for a name");
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, value.release());
  if (sk_GENERAL_NAME_push(names, name.get()) == 0) return failure(errc::internal, "no memory for a name");
  static_cast<void>(name.release());
  return {};
}

result<void> push_ip_address(GENERAL_NAMES* names, const std::string& text) {
  owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(a2i_IPADDRESS(text.c_str()));
  owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  if (!value || !name) {
    ERR_clear_error();
    return fail(errc::invalid, "'" + text + "' is not an IP address");
  }
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value.release());
  if (sk_GENERAL_NAME_push(names, name.get()) == 0) return failure(errc::internal, "no memory for an address");
  static_cast<void>(name.release());
  return {};
}

result<void> add_alternative_names(X509* cert, const leaf_profile& profile) {
  if (profile.dns_names.empty() && profile.ip_addresses.empty()) return {};
  const owned<GENERAL_NAMES, GENERAL_NAMES_free> names(sk_GENERAL_NAME_new_null());
  if (!names) return failure(errc::internal, "no memory for names");
  for (const auto& dns : profile.dns_names)
    if (auto ok = push_dns_name(names.get(), dns); !ok) return ok;
  for (const auto& ip : profile.ip_addresses)
    if (auto ok = push_ip_address(names.get(), ip); !ok) return ok;
  if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1)
    return failure(errc::internal, "cannot add subjectAltName");
  return {};
}

result<void> add_leaf_extensions(X509* cert, X509* issuer, EVP_PKEY* key, const leaf_profile& profile) {
  // RSA keys may be used by TLS 1.2 clients for key exchange; everything else only signs.
  const char* usage =
      EVP_PKEY_is_a(key, "RSA") == 1 ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
  std::string extended;
  if (profile.server_auth) extended += "serverAuth";
  if (profile.client_auth) extended += extended.empty() ? "clientAuth" : ",clientAuth";
  if (extended.empty()) return fail(errc::invalid, "leaf profile allows neither server nor client authentication");
  const std::pair<int, const char*> wanted[] = {{NID_basic_constraints, "critical,CA:FALSE"},
                                                {NID_key_usage, usage},
                                                {NID_ext_key_usage, extended.c_str()},
                                                {NID_subject_key_identifier, "hash"},
                                                {NID_authority_key_identifier, "keyid:always"}};
  for (const auto& [nid, value] : wanted)
    if (auto ok = add_extension(cert, issuer, nid, value); !ok) return ok;
  return add_alternative_names(cert, profile);
}

struct signer {
  pkey_ptr key;
  x509_ptr cert;
  instant not_after;
};

result<signer> read_signer(const key_and_cert& ca) {
  auto key = read_private_key(ca.key_pem);
  if (!key) return fail(key.err().code, "CA: " + key.err().message);
  auto cert = read_certificate(ca.cert_pem);
  if (!cert) return fail(cert.err().code, "CA: " + cert.err().message);
  if (X509_check_ca(cert->get()) != 1) return fail(errc::invalid, "CA: certificate is not a CA's");
  if (X509_check_private_key(cert->get(), key->get()) != 1)
    return failure(errc::invalid, "CA: key is not the certificate's");
  const auto not_after = read_time(X509_get0_notAfter(cert->get()));
  if (!not_after) return not_after.err();
  return signer{std::move(*key), std::move(*cert), *not_after};
}

result<std::string> issue(const signer& issuer, EVP_PKEY* public_key, const leaf_profile& profile) {
  ERR_clear_error();
  if (auto ok = check_key_strength(public_key); !ok) return ok.err();
  const auto name = write_subject(profile.subj);
  if (!name) return name.err();
  const x509_ptr cert(X509_new());
  if (!cert || X509_set_version(cert.get(), X509_VERSION_3) != 1 ||
      X509_set_subject_name(cert.get(), name->get()) != 1 ||
      X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.cert.get())) != 1 ||
      X509_set_pubkey(cert.get(), public_key) != 1)
    return failure(errc::internal, "cannot build certificate");
  if (auto ok = set_serial(cert.get()); !ok) return ok.err();
  // A leaf that outlives its CA would only look valid.
  if (auto ok = set_validity(cert.get(), profile.not_before, std::min(profile.not_after, issuer.not_after)); !ok)
    return ok.err();
  if (auto ok = add_leaf_extensions(cert.get(), issuer.cert.get(), public_key, profile); !ok) return ok.err();
  if (X509_sign(cert.get(), issuer.key.get(), EVP_sha256()) == 0)
    return failure(errc::internal, "cannot sign certificate");
  return write_certificate(cert.get());
}

bool signed_with_weak_digest(const X509_REQ* req) {
  int digest = NID_undef;
  const int algorithm = X509_REQ_get_signature_nid(req);
  if (OBJ_find_sigid_algs(algorithm, &digest, nullptr) != 1) return true;
  return digest == NID_md5 || digest == NID_sha1 || digest == NID_md4 || digest == NID_md2;
}

class verified_csr final : public checked_csr {
 public:
  verified_csr(pkey_ptr key, csr_info info) : key_(std::move(key)), info_(std::move(info)) {}
  const csr_info& info() const override { return info_; }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  pkey_ptr key_;
  csr_info info_;
};

result<std::string> key_digest(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int n = i2d_PUBKEY(key, &der);
  if (n <= 0) return failure(errc::malformed, "certificate signing request: public key");
  const owned<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> guard(der);
  return sha256_hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(n)});
}

class open_ca final : public certificate_signer {
 public:
  explicit open_ca(signer ca) : ca_(std::move(ca)) {}
  result<std::string> issue(const checked_csr& csr, const leaf_profile& profile) const override {
    return wh::issue(ca_, static_cast<const verified_csr&>(csr).key(), profile);
  }

 private:
  const signer ca_;
};

result<void> fill_ca(X509* cert, EVP_PKEY* key, const X509_NAME* name, instant not_before, instant not_after) {
  if (X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_subject_name(cert, name) != 1 ||
      X509_set_issuer_name(cert, name) != 1 || X509_set_pubkey(cert, key) != 1)
    return failure(errc::internal, "cannot build CA certificate");
  if (auto ok = set_serial(cert); !ok) return ok;
  if (auto ok = set_validity(cert, not_before, not_after); !ok) return ok;
  // pathlen 0: this CA signs leaves, and a stolen leaf must not become a CA.
  const std::pair<int, const char*> wanted[] = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                                {NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"},
                                                {NID_subject_key_identifier, "hash"},
                                                {NID_authority_key_identifier, "keyid:always"}};
  for (const auto& [nid, value] : wanted)
    if (auto ok = add_extension(cert, cert, nid, value); !ok) return ok;
  return {};
}

}  // namespace

result<std::string> make_ca_certificate(const std::string& ca_key_pem, const std::string& common_name,
                                        instant not_before, instant not_after) {
  const auto key = read_private_key(ca_key_pem);
  if (!key) return key.err();
  if (auto ok = check_key_strength(key->get()); !ok) return ok.err();
  const auto name = write_subject({.common_name = common_name, .organizations = {}});
  if (!name) return name.err();
  const x509_ptr cert(X509_new());
  if (!cert) return failure(errc::internal, "no memory for a certificate");
  if (auto ok = fill_ca(cert.get(), key->get(), name->get(), not_before, not_after); !ok) return ok.err();
  if (X509_sign(cert.get(), key->get(), EVP_sha256()) == 0)
    return failure(errc::internal, "cannot sign CA certificate");
  return write_certificate(cert.get());
}

result<std::string> issue_for_key(const key_and_cert& ca, const std::string& key_pem, const leaf_profile& profile) {
  const auto issuer = read_signer(ca);
  if (!issuer) return issuer.err();
  const auto key = read_private_key(key_pem);
  if (!key) return key.err();
  return issue(*issuer, key->get(), profile);
}

result<std::shared_ptr<const certificate_signer>> open_signer(const key_and_cert& ca) {
  auto read = read_signer(ca);
  if (!read) return read.err();
  return std::shared_ptr<const certificate_signer>(std::make_shared<open_ca>(std::move(*read)));
}

result<std::string> make_csr(const std::string& key_pem, const subject& subj) {
  const auto key = read_private_key(key_pem);
  if (!key) return key.err();
  const auto name = write_subject(subj);
  if (!name) return name.err();
  const req_ptr req(X509_REQ_new());
  if (!req || X509_REQ_set_version(req.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(req.get(), name->get()) != 1 || X509_REQ_set_pubkey(req.get(), key->get()) != 1 ||
      X509_REQ_sign(req.get(), key->get(), EVP_sha256()) == 0)
    return failure(errc::internal, "cannot make a certificate signing request");
  const bio_ptr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_REQ(bio.get(), req.get()) != 1)
    return failure(errc::internal, "cannot encode a certificate signing request");
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(n));
}

result<std::shared_ptr<const checked_csr>> check_csr(const std::string& csr_pem) {
  constexpr std::size_t csr_bytes_max = 64 * 1024;
  if (csr_pem.size() > csr_bytes_max) return fail(errc::too_large, "certificate signing request is larger than 64 KiB");
  ERR_clear_error();
  const bio_ptr bio(BIO_new_mem_buf(csr_pem.data(), static_cast<int>(csr_pem.size())));
  const req_ptr req(bio ? PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!req) return failure(errc::malformed, "certificate signing request");
  pkey_ptr key(X509_REQ_get_pubkey(req.get()));
  if (auto ok = check_key_strength(key.get()); !ok)
    return fail(ok.err().code, "certificate signing request: " + ok.err().message);
  if (signed_with_weak_digest(req.get()))
    return fail(errc::invalid, "certificate signing request: signature algorithm is too weak");
  if (X509_REQ_verify(req.get(), key.get()) != 1)
    return failure(errc::invalid, "certificate signing request: its signature does not fit its key");
  auto subj = read_subject(X509_REQ_get_subject_name(req.get()));
  if (!subj) return fail(subj.err().code, "certificate signing request: " + subj.err().message);
  if (subj->common_name.empty()) return fail(errc::invalid, "certificate signing request: subject has no common name");
  auto digest = key_digest(key.get());
  if (!digest) return digest.err();
  csr_info info{std::move(*subj), std::move(*digest)};
  return std::shared_ptr<const checked_csr>(std::make_shared<verified_csr>(std::move(key), std::move(info)));
}

result<csr_info> inspect_csr(const std::string& csr_pem) {
  const auto csr = check_csr(csr_pem);
  if (!csr) return csr.err();
  return (*csr)->info();
}

}  // namespace wh
