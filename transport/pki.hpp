#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace wh {

/// A private key (EC P-256, PKCS#8) and, where it belongs, its certificate; both PEM.
struct key_and_cert {
  std::string key_pem;
  std::string cert_pem;
};

/// Who a certificate speaks for, in Kubernetes' reading of the subject: CN is the user, every O a group.
struct subject {
  std::string common_name;
  std::vector<std::string> organizations;
  friend bool operator==(const subject&, const subject&) = default;
};

/// What a certificate says.
struct cert_info {
  subject subj;
  instant not_before;
  instant not_after;
  bool is_ca = false;
  bool client_auth = false;
  bool server_auth = false;
  std::string serial_hex;
  std::string public_key_sha256;  ///< hex SHA-256 of the SubjectPublicKeyInfo
};

/// What a certificate signing request asks for.
struct csr_info {
  subject subj;
  std::string public_key_sha256;
};

/// What a CA signs into a leaf.
struct leaf_profile {
  subject subj;
  bool server_auth = false;
  bool client_auth = false;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  instant not_before;
  instant not_after;
};

/// New EC P-256 private key, PEM.
result<std::string> generate_key();

/// Self-signed CA certificate for a key.
result<std::string> make_ca_certificate(const std::string& ca_key_pem, const std::string& common_name,
                                        instant not_before, instant not_after);

/// Leaf certificate for `public key of key_pem` (a key of our own).
result<std::string> issue_for_key(const key_and_cert& ca, const std::string& key_pem, const leaf_profile& profile);

/// PEM CSR with the subject, signed by the key.
result<std::string> make_csr(const std::string& key_pem, const subject& subj);

/// A CSR that was read and found sound. Reading one costs OpenSSL 3.0 some 200 us, asking it costs nothing. Immutable.
class checked_csr {
 public:
  virtual ~checked_csr() = default;
  virtual const csr_info& info() const = 0;
};
/// Parses and verifies the CSR's own signature; refuses keys weaker than P-256 or RSA 2048.
result<std::shared_ptr<const checked_csr>> check_csr(const std::string& csr_pem);
/// The same for who wants to know only once.
result<csr_info> inspect_csr(const std::string& csr_pem);

/// A CA whose key and certificate were read once (400 us in OpenSSL 3.0). Thread-safe.
class certificate_signer {
 public:
  virtual ~certificate_signer() = default;
  /// Leaf certificate for the CSR's key.
  virtual result<std::string> issue(const checked_csr& csr, const leaf_profile& profile) const = 0;
};
result<std::shared_ptr<const certificate_signer>> open_signer(const key_and_cert& ca);

/// Reads the first certificate of a PEM text.
result<cert_info> inspect_certificate(const std::string& cert_pem);

/// Refuses what is no private key, wants a passphrase, or is weaker than P-256 or RSA 2048.
result<void> check_private_key(const std::string& key_pem);

/// True if the key is the certificate's.
result<bool> key_matches(const std::string& key_pem, const std::string& cert_pem);

/// The pin of a CA certificate: `sha256:` + hex of SHA-256 over its SubjectPublicKeyInfo (as kubeadm's discovery hash).
result<std::string> ca_pin(const std::string& ca_cert_pem);

/// Hex SHA-256.
std::string sha256_hex(std::string_view bytes);

/// `n` bytes from the system's generator.
std::string random_bytes(std::size_t n);

/// Compares without telling by its time where the difference is.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace wh
