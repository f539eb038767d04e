#include "transport/tls_tickets.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/assert.hpp"

namespace wh {
namespace {

using namespace ossl;

/// A spoke has one for each of its hub's addresses; a simulated fleet on one loop has one for each cluster.
constexpr std::size_t tickets_kept = 4096;

void draw(std::span<unsigned char> into) {
  // Carrying on with predictable keys would be worse than stopping.
  WH_ASSERT(RAND_bytes(into.data(), static_cast<int>(into.size())) == 1);
}

bool valid_now(X509* cert) {
  return X509_cmp_current_time(X509_get0_notBefore(cert)) < 0 && X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

/// The keys live as long as the SSL_CTX does.
int keys_index() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, [](void*, void* keys, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<std::shared_ptr<ticket_keys>*>(keys);
      });
  return index;
}

ticket_keys& keys_of(SSL* ssl) {
  return **static_cast<std::shared_ptr<ticket_keys>*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index()));
}

const EVP_CIPHER* ticket_cipher() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

bool set_mac_key(EVP_MAC_CTX* mac, ticket_keys::key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
                               OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/// OpenSSL's return values: negative: failed, 0: unknown key, 1: set.
int seal_or_open(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
  auto& keys = keys_of(ssl);
  auto found = seal != 0 ? std::optional(keys.current()) : keys.find(name);
  if (!found) return 0;
  if (seal != 0) {
    std::memcpy(name, found->name.data(), found->name.size());
    draw({iv, static_cast<std::size_t>(EVP_CIPHER_get_iv_length(ticket_cipher()))});
  }
  const bool set = set_mac_key(mac, *found) &&
                   EVP_CipherInit_ex2(cipher, ticket_cipher(), found->cipher.data(), iv, seal, nullptr) == 1;
  OPENSSL_cleanse(&*found, sizeof *found);
  return set ? 1 : -1;
}

/// A ticket outlives no certificate. Ignored, it is followed by a full handshake, which says what is wrong with the
/// certificate.
SSL_TICKET_RETURN judge(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t, SSL_TICKET_STATUS status,
                        void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
  X509* peer = SSL_SESSION_get0_peer(session);
  if (peer != nullptr && !valid_now(peer)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  // Without a new ticket: so an hour after certificates were shown they are shown again.
  return SSL_TICKET_RETURN_USE;
}

int hope_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// Returns 1 when the session's reference is now ours.
int keep_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* slot = static_cast<std::unique_ptr<ticket_hope>*>(SSL_get_ex_data(ssl, hope_index()));
  if (slot == nullptr || !*slot || SSL_SESSION_is_resumable(session) != 1) return 0;
  const auto hope = std::move(*slot);
  SSL_set_ex_data(ssl, hope_index(), nullptr);
  hope->place.jar->put(hope->place.key, {ticket_jar::session_ptr(session), std::move(hope->pinned_ca_pem)});
  return 1;
}

}  // namespace

ticket_keys::~ticket_keys() {
  for (auto& each : keys_) OPENSSL_cleanse(&each, sizeof each);
}

ticket_keys::key ticket_keys::current() {
  const auto now = now_();
  const std::lock_guard lock(mutex_);
  drop_old(now);
  if (keys_.empty() || now - keys_.front().made >= life_ / 2) {
    key fresh;
    draw(fresh.name);
    draw(fresh.cipher);
    draw(fresh.mac);
    fresh.made = now;
    keys_.push_front(fresh);
  }
  return keys_.front();
}

std::optional<ticket_keys::key> ticket_keys::find(const unsigned char* name) {
  const auto now = now_();
  const std::lock_guard lock(mutex_);
  drop_old(now);
  for (const auto& each : keys_)
    if (std::memcmp(each.name.data(), name, each.name.size()) == 0) return each;
  return std::nullopt;
}

void ticket_keys::drop_old(duration now) {
  while (!keys_.empty() && now - keys_.back().made >= life_) {
    OPENSSL_cleanse(&keys_.back(), sizeof keys_.back());
    keys_.pop_back();
  }
}

std::shared_ptr<ticket_keys> make_ticket_keys(duration life) {
  if (life <= duration::zero()) return nullptr;
  return std::make_shared<ticket_keys>(std::min(life, ticket_life_max), [] {
    return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch());
  });
}

result<void> offer_tickets(SSL_CTX* ctx, const std::shared_ptr<ticket_keys>& keys, const std::string& trust) {
  auto held = std::make_unique<std::shared_ptr<ticket_keys>>(keys);
  if (SSL_CTX_set_ex_data(ctx, keys_index(), held.get()) != 1) return failure(errc::internal, "TLS: tickets");
  static_cast<void>(held.release());
  // 32 of the 64 digits are what OpenSSL has room for.
  const auto scope = sha256_hex(trust).substr(0, SSL_MAX_SID_CTX_LENGTH);
  if (SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>(scope.data()),
                                     static_cast<unsigned>(scope.size())) != 1 ||
      SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, seal_or_open) != 1 ||
      SSL_CTX_set_session_ticket_cb(ctx, nullptr, judge, nullptr) != 1 || SSL_CTX_set_num_tickets(ctx, 1) != 1)
    return failure(errc::internal, "TLS: tickets");
  SSL_CTX_set_timeout(ctx, std::max<long>(std::chrono::duration_cast<std::chrono::seconds>(keys->life()).count(), 1));
  SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
  return {};
}

void ticket_jar::put(const std::string& key, ticket given) {
  auto made = std::make_shared<const ticket>(std::move(given));
  const std::lock_guard lock(mutex_);
  if (tickets_.size() >= tickets_kept && !tickets_.contains(key)) tickets_.erase(tickets_.begin());
  tickets_[key] = std::move(made);
}

std::shared_ptr<const ticket_jar::ticket> ticket_jar::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(key);
  if (found == tickets_.end()) return nullptr;
  X509* peer = SSL_SESSION_get0_peer(found->second->session.get());
  if (peer != nullptr && valid_now(peer)) return found->second;
  tickets_.erase(found);
  return nullptr;
}

void ticket_jar::drop(const std::string& key) {
  const std::lock_guard lock(mutex_);
  tickets_.erase(key);
}

void collect_tickets(SSL_CTX* ctx) {
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, keep_ticket);
  SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
}

void await_ticket(SSL* ssl, std::unique_ptr<ticket_hope>* hope) { SSL_set_ex_data(ssl, hope_index(), hope); }

}  // namespace wh
