#pragma once
// OpenSSL's types with owners, for the sources of this folder only.
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "transport/pki.hpp"

namespace wh::ossl {

template <auto Free>
struct free_with {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, free_with<Free>>;

using bio_ptr = owned<BIO, BIO_free_all>;
using bignum_ptr = owned<BIGNUM, BN_free>;
using pkey_ptr = owned<EVP_PKEY, EVP_PKEY_free>;
using x509_ptr = owned<X509, X509_free>;
using name_ptr = owned<X509_NAME, X509_NAME_free>;
using req_ptr = owned<X509_REQ, X509_REQ_free>;
using time_ptr = owned<ASN1_TIME, ASN1_TIME_free>;
using ctx_ptr = owned<SSL_CTX, SSL_CTX_free>;
using ssl_ptr = owned<SSL, SSL_free>;

/// Empties OpenSSL's error queue of this thread into one line.
std::string error_text();

/// A failure whose message is `what` followed by OpenSSL's own words.
error failure(errc code, std::string what);

/// The passphrase callback of every PEM reader here: there is none. OpenSSL's default would prompt on a daemon's
/// terminal.
int no_passphrase(char*, int, int, void*);

/// A private key from PEM; never asks for a passphrase.
result<pkey_ptr> read_private_key(const std::string& pem);

/// The first certificate of a PEM text.
result<x509_ptr> read_certificate(const std::string& pem);

/// Every certificate of a PEM text, in order; at least one.
result<std::vector<x509_ptr>> read_certificates(const std::string& pem);

result<std::string> write_certificate(X509* cert);

/// Who a distinguished name speaks for. Refuses names that two readers could read differently: a second common name,
/// one that shares its RDN with something else, text with NULs or control characters.
result<subject> read_subject(const X509_NAME* name);

/// The distinguished name of a subject: its groups as one O each, then CN.
result<name_ptr> write_subject(const subject& subj);

/// Hex SHA-256 of a certificate's SubjectPublicKeyInfo.
std::string public_key_sha256(X509* cert);

/// Lower-case hex of a certificate's serial number.
std::string serial_hex(X509* cert);

/// The instant that an ASN.1 time means.
result<instant> read_time(const ASN1_TIME* t);

/// Refuses keys weaker than P-256 or RSA 2048, and curves given by their parameters.
result<void> check_key_strength(EVP_PKEY* key);

/// The DNS names and addresses that a certificate was issued for, separated by commas, for error messages.
std::string alternative_names(X509* cert);

}  // namespace wh::ossl
