// From a tls_config to a checked SSL_CTX.
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "transport/tls.hpp"

namespace wh {
namespace {

using namespace ossl;

// One for each hub that is dialled, with a pin and without; more only while a trusted CA changes.
constexpr std::size_t contexts_kept = 8;

bool is_ip(const std::string& host) {
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

result<std::string> alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& name : protocols) {
    if (name.empty() || name.size() > 255) return fail(errc::invalid, "TLS: ALPN name must have 1 to 255 bytes");
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

// The list lives as long as the SSL_CTX does.
int alpn_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* list, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(list); });
  return index;
}

int select_alpn(SSL* ssl, const unsigned char** out, unsigned char* n, const unsigned char* in, unsigned in_n, void*) {
  const auto* ours = static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), alpn_index()));
  unsigned char* chosen = nullptr;
  const int rc = SSL_select_next_proto(&chosen, n, reinterpret_cast<const unsigned char*>(ours->data()),
                                       static_cast<unsigned>(ours->size()), in, in_n);
  if (rc != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

result<void> set_alpn(SSL_CTX* ctx, const tls_config& config, bool server) {
  if (config.alpn.empty()) return {};
  auto wire = alpn_wire(config.alpn);
  if (!wire) return wire.err();
  if (!server) {
    // This function alone of OpenSSL's returns 0 for success.
    if (SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(wire->data()),
                                static_cast<unsigned>(wire->size())) != 0)
      return failure(errc::invalid, "TLS: ALPN");
    return {};
  }
  auto list = std::make_unique<std::string>(std::move(*wire));
  if (SSL_CTX_set_ex_data(ctx, alpn_index(), list.get()) != 1) return failure(errc::internal, "TLS: ALPN");
  static_cast<void>(list.release());
  SSL_CTX_set_alpn_select_cb(ctx, select_alpn, nullptr);
  return {};
}

/// Null when the configuration has none.
result<std::shared_ptr<tls_credentials>> read_credentials(const tls_config& config) {
  if (config.identity.key_pem.empty()) return std::shared_ptr<tls_credentials>();
  auto key = read_private_key(config.identity.key_pem);
  if (!key) return fail(key.err().code, "TLS: " + key.err().message);
  // A file such as tls.crt often holds the leaf and, after it, its chain.
  auto certs = read_certificates(config.identity.cert_pem + "\n" + config.chain_pem);
  if (!certs) return fail(certs.err().code, "TLS: own " + certs.err().message);
  ERR_clear_error();
  if (X509_check_private_key(certs->front().get(), key->get()) != 1)
    return failure(errc::invalid, "TLS: own private key");
  return std::make_shared<tls_credentials>(tls_credentials{std::move(*key), std::move(*certs)});
}

result<void> set_identity(SSL_CTX* ctx, const tls_config& config) {
  const auto own = read_credentials(config);
  if (!own) return own.err();
  ERR_clear_error();
  const auto& certs = (*own)->certs;
  if (SSL_CTX_use_certificate(ctx, certs.front().get()) != 1) return failure(errc::invalid, "TLS: own certificate");
  if (SSL_CTX_use_PrivateKey(ctx, (*own)->key.get()) != 1) return failure(errc::invalid, "TLS: own private key");
  for (std::size_t i = 1; i < certs.size(); ++i)
    if (SSL_CTX_add1_chain_cert(ctx, certs[i].get()) != 1) return failure(errc::invalid, "TLS: own chain");
  return {};
}

result<void> set_trust(SSL_CTX* ctx, const std::string& pem, bool server) {
  if (pem.empty()) return {};
  const auto cas = read_certificates(pem);
  if (!cas) return fail(cas.err().code, "TLS: trusted " + cas.err().message);
  X509_STORE* store = SSL_CTX_get_cert_store(ctx);
  for (const auto& ca : *cas) {
    if (X509_STORE_add_cert(store, ca.get()) != 1) return failure(errc::invalid, "TLS: trusted CA");
    if (server) SSL_CTX_add_client_CA(ctx, ca.get());
  }
  return {};
}

result<std::shared_ptr<tls_context>> make_common(const tls_config& config, bool server) {
  ERR_clear_error();
  auto made = std::make_shared<tls_context>();
  made->server = server;
  made->ctx.reset(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* ctx = made->ctx.get();
  if (ctx == nullptr) return failure(errc::internal, "TLS: cannot make a context");
  if (SSL_CTX_set_min_proto_version(ctx, config.tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
      SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1)
    return failure(errc::internal, "TLS: cannot set versions and ciphers");
  SSL_CTX_set_security_level(ctx, 2);
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_NO_AUTO_CHAIN);
  // One recv per batch of records instead of two per record; the buffer is released whenever it is empty.
  SSL_CTX_set_read_ahead(ctx, 1);
  if (auto ok = set_trust(ctx, config.trusted_ca_pem, server); !ok) return ok.err();
  if (auto ok = set_alpn(ctx, config, server); !ok) return ok.err();
  made->has_trust = !config.trusted_ca_pem.empty();
  return made;
}

/// All that a client context takes from its configuration but the credentials.
std::string trust_key(const tls_config& config, const std::string& host) {
  std::string key;
  const auto add = [&key](const std::string& part) { key += std::to_string(part.size()) + ":" + part; };
  for (const auto& protocol : config.alpn) add(protocol);
  add(config.tls13_only ? "1.3" : "");
  for (const auto* part : {&config.trusted_ca_pem, &config.ca_pin, &config.verify_host, &host}) add(*part);
  return key;
}

/// What both sides of a server's tickets were verified against. A renewed certificate of the same CA is the same.
std::string trust_of(const tls_config& server) {
  const auto& own = server.chain_pem.empty() ? server.identity.cert_pem : server.chain_pem;
  return own + "\n" + (server.request_client_cert ? server.trusted_ca_pem : "");
}

}  // namespace

/// A client context without credentials.
class client_trust {
 public:
  static result<std::shared_ptr<tls_context>> make(const tls_config& config, const std::string& host);
};

result<std::shared_ptr<tls_context>> client_trust::make(const tls_config& config, const std::string& host) {
  if (config.trusted_ca_pem.empty() && config.ca_pin.empty())
    return fail(errc::invalid, "TLS: neither a trusted CA nor a CA pin is given, so no server can be believed");
  if (!config.ca_pin.empty() && (config.ca_pin.size() != 71 || !config.ca_pin.starts_with("sha256:")))
    return fail(errc::invalid, "TLS: CA pin '" + config.ca_pin + "' is not sha256: and 64 hex digits");
  auto made = make_common(config, false);
  if (!made) return made.err();
  tls_context& context = **made;
  context.ca_pin = config.ca_pin;
  for (char& c : context.ca_pin)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  context.verify_host = config.verify_host.empty() ? host : config.verify_host;

  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(context.ctx.get());
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool set = is_ip(context.verify_host) ? X509_VERIFY_PARAM_set1_ip_asc(param, context.verify_host.c_str()) == 1
                                              : X509_VERIFY_PARAM_set1_host(param, context.verify_host.c_str(), 0) == 1;
  if (context.verify_host.empty() || !set)
    return failure(errc::invalid, "TLS: host to verify '" + context.verify_host + "'");
  SSL_CTX_set_verify(context.ctx.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.ctx.get(), tls_stream::verify_peer, nullptr);
  return made;
}

result<tls_context_ptr> make_server_context(const tls_config& config, const std::shared_ptr<ticket_keys>& tickets) {
  if (config.identity.key_pem.empty()) return fail(errc::invalid, "TLS: a server needs a key and a certificate");
  if (config.request_client_cert && config.trusted_ca_pem.empty())
    return fail(errc::invalid, "TLS: client certificates are requested, but no CA is trusted to sign them");
  auto made = make_common(config, true);
  if (!made) return made.err();
  if (auto ok = set_identity((*made)->ctx.get(), config); !ok) return ok.err();
  if (config.request_client_cert) {
    SSL_CTX_set_verify((*made)->ctx.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback((*made)->ctx.get(), tls_stream::verify_peer, nullptr);
  }
  if (tickets)
    if (auto ok = offer_tickets((*made)->ctx.get(), tickets, trust_of(config)); !ok) return ok.err();
  return tls_context_ptr(std::move(*made));
}

result<tls_context_ptr> make_client_context(const tls_config& config, const std::string& host) {
  auto made = client_trust::make(config, host);
  if (!made) return made.err();
  auto own = read_credentials(config);
  if (!own) return own.err();
  (*made)->own = std::move(*own);
  return tls_context_ptr(std::move(*made));
}

result<tls_context_ptr> client_context_memo::make(const tls_config& config, const host_port& to) {
  auto own = read_credentials(config);
  if (!own) return own.err();
  const auto key = trust_key(config, to.host);
  const std::lock_guard lock(mutex_);
  auto known = std::find_if(made_.begin(), made_.end(), [&](const auto& each) { return each.first == key; });
  if (known == made_.end()) {
    auto fresh = client_trust::make(config, to.host);
    if (!fresh) return fresh.err();
    collect_tickets((*fresh)->ctx.get());
    if (made_.size() == contexts_kept) made_.pop_back();
    made_.emplace_front(key, std::move(*fresh));
    known = made_.begin();
  }
  const tls_context& common = *known->second;
  SSL_CTX_up_ref(common.ctx.get());
  return std::make_shared<const tls_context>(
      tls_context{.ctx = ossl::ctx_ptr(common.ctx.get()),
                  .own = std::move(*own),
                  .server = false,
                  .has_trust = common.has_trust,
                  .ca_pin = common.ca_pin,
                  .verify_host = common.verify_host,
                  .tickets = {jar_, sha256_hex(key + to.text() + config.identity.cert_pem)}});
}

}  // namespace wh
