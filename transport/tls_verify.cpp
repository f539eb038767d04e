#include "transport/tls_verify.hpp"

namespace wh {
namespace {

using namespace ossl;
using stack_ptr = owned<STACK_OF(X509), [](STACK_OF(X509) * s) { sk_X509_free(s); }>;

// The alert that the peer gets follows from this code.
verify_outcome refuse(X509_STORE_CTX* store, int code, std::string why) {
  X509_STORE_CTX_set_error(store, code);
  return {.ok = false, .why = std::move(why), .pinned_ca_pem = {}};
}

std::string pin_of(X509* cert) { return "sha256:" + public_key_sha256(cert); }

bool is_ca(X509* cert) { return X509_check_ca(cert) == 1; }

/// The CA certificates that the peer sent along.
std::vector<X509*> presented_cas(X509_STORE_CTX* store) {
  std::vector<X509*> cas;
  STACK_OF(X509)* presented = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < sk_X509_num(presented); ++i) {
    X509* cert = sk_X509_value(presented, i);
    if (cert != X509_STORE_CTX_get0_cert(store) && is_ca(cert)) cas.push_back(cert);
  }
  return cas;
}

/// The CA that signs the verified chain and has the pin, if any.
X509* pinned_in_verified_chain(X509_STORE_CTX* store, const std::string& pin) {
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    X509* cert = sk_X509_value(chain, i);
    if (is_ca(cert) && equal_constant_time(pin_of(cert), pin)) return cert;
  }
  return nullptr;
}

std::string wrong_pin(const std::vector<std::string>& seen, const std::string& expected) {
  std::string list;
  for (const auto& pin : seen) list += (list.empty() ? "" : ", ") + pin;
  return "server's CA pin is " + list + ", expected " + expected + ": wrong hub or wrong --ca-pin";
}

/// Why OpenSSL did not believe the chain, naming what an operator would look up next.
std::string chain_failure(X509_STORE_CTX* store, std::string_view whose, const std::string& host) {
  const int code = X509_STORE_CTX_get_error(store);
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  std::string text = std::string(whose) + " certificate: ";
  if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return text + "is not for '" + host + "' (it names " + alternative_names(leaf) + ")";
  text += X509_verify_cert_error_string(code);
  X509* current = X509_STORE_CTX_get_current_cert(store);
  const bool late = code == X509_V_ERR_CERT_HAS_EXPIRED;
  const bool early = code == X509_V_ERR_CERT_NOT_YET_VALID;
  if (current != nullptr && (late || early)) {
    const auto when = read_time(late ? X509_get0_notAfter(current) : X509_get0_notBefore(current));
    if (when) text += (late ? " on " : " before ") + to_rfc3339(*when);
  }
  return text;
}

bool has_usage(X509* leaf, std::uint32_t usage) {
  // OpenSSL takes a certificate without the extension as good for everything.
  return (X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) != 0 && (X509_get_extended_key_usage(leaf) & usage) != 0;
}

/// Makes the pinned CA the only trusted one; the stack must outlive the verification.
result<stack_ptr> trust_pinned(X509_STORE_CTX* store, const std::string& pin) {
  std::vector<std::string> seen;
  stack_ptr pinned(sk_X509_new_null());
  for (X509* ca : presented_cas(store)) {
    const std::string its_pin = pin_of(ca);
    if (equal_constant_time(its_pin, pin)) sk_X509_push(pinned.get(), ca);
    seen.push_back(its_pin);
  }
  if (seen.empty()) return fail(errc::unauthorized, "server presents no CA certificate to compare with the pin " + pin);
  if (sk_X509_num(pinned.get()) == 0) return fail(errc::unauthorized, wrong_pin(seen, pin));
  X509_STORE_CTX_set0_trusted_stack(store, pinned.get());
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store), X509_V_FLAG_PARTIAL_CHAIN);
  return pinned;
}

}  // namespace

verify_outcome verify_server(X509_STORE_CTX* store, const tls_context& context) {
  stack_ptr pinned;
  if (!context.has_trust) {
    auto trust = trust_pinned(store, context.ca_pin);
    if (!trust) return refuse(store, X509_V_ERR_CERT_UNTRUSTED, trust.err().message);
    pinned = std::move(*trust);
  }
  if (X509_verify_cert(store) != 1) {
    const int code = X509_STORE_CTX_get_error(store);
    return refuse(store, code, chain_failure(store, "server's", context.verify_host));
  }
  if (!has_usage(X509_STORE_CTX_get0_cert(store), XKU_SSL_SERVER))
    return refuse(store, X509_V_ERR_INVALID_PURPOSE, "server's certificate: is not for server authentication");
  if (context.ca_pin.empty()) return {.ok = true, .why = {}, .pinned_ca_pem = {}};

  X509* ca = pinned_in_verified_chain(store, context.ca_pin);
  if (ca == nullptr) {
    std::vector<std::string> seen;
    STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
    for (int i = 1; i < sk_X509_num(chain); ++i) seen.push_back(pin_of(sk_X509_value(chain, i)));
    return refuse(store, X509_V_ERR_CERT_UNTRUSTED, wrong_pin(seen, context.ca_pin));
  }
  auto pem = write_certificate(ca);
  if (!pem) return refuse(store, X509_V_ERR_UNSPECIFIED, pem.err().message);
  return {.ok = true, .why = {}, .pinned_ca_pem = std::move(*pem)};
}

verify_outcome verify_client(X509_STORE_CTX* store) {
  if (X509_verify_cert(store) != 1) {
    const int code = X509_STORE_CTX_get_error(store);
    return refuse(store, code, chain_failure(store, "client's", {}));
  }
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (auto ok = check_key_strength(X509_get0_pubkey(leaf)); !ok)
    return refuse(store, X509_V_ERR_EE_KEY_TOO_SMALL, "client's certificate: " + ok.err().message);
  // A CA that turns up as a client is a stolen CA, or one made to look like a spoke.
  if (is_ca(leaf)) return refuse(store, X509_V_ERR_INVALID_PURPOSE, "client's certificate: is a CA's");
  if (!has_usage(leaf, XKU_SSL_CLIENT))
    return refuse(store, X509_V_ERR_INVALID_PURPOSE, "client's certificate: is not for client authentication");
  const auto subj = read_subject(X509_get_subject_name(leaf));
  if (!subj) return refuse(store, X509_V_ERR_APPLICATION_VERIFICATION, "client's certificate: " + subj.err().message);
  if (subj->common_name.empty())
    return refuse(store, X509_V_ERR_APPLICATION_VERIFICATION, "client's certificate: subject has no common name");
  return {.ok = true, .why = {}, .pinned_ca_pem = {}};
}

}  // namespace wh
