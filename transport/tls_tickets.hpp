#pragma once
// Session resumption of TLS 1.3 on links: a handshake with a ticket needs no certificates and no signatures.
//
// A ticket speaks for the certificate that its first handshake proved. So a server takes it only while that certificate is
// valid and its own trust is what it was, and for an hour at most: after that certificates are shown again. Tickets may be
// used more than once; a fresh key exchange goes into every session, so none of them reveals another.
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.hpp"
#include "transport/openssl.hpp"

namespace wh {

inline constexpr duration ticket_life_max = std::chrono::hours(1);

/// What a server seals its tickets with: one key for half of their life, which still opens them for the other half. Keys
/// are drawn here and never leave the process. Thread-safe.
class ticket_keys {
 public:
  struct key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{}, mac{};
    duration made{};
  };
  using clock = std::function<duration()>;  ///< monotonic

  ticket_keys(duration life, clock now) : life_(life), now_(std::move(now)) {}
  ~ticket_keys();
  ticket_keys(const ticket_keys&) = delete;
  ticket_keys& operator=(const ticket_keys&) = delete;

  duration life() const { return life_; }
  /// To seal with; made anew when it is due.
  key current();
  /// The one of this name, if it still opens.
  std::optional<key> find(const unsigned char* name);

 private:
  void drop_old(duration now);

  const duration life_;
  const clock now_;
  std::mutex mutex_;      ///< guards what follows
  std::deque<key> keys_;  ///< newest first; two at most
};

/// On the monotonic clock; null for a life of zero.
std::shared_ptr<ticket_keys> make_ticket_keys(duration life);

/// Makes a server's context give and take tickets. `trust` names what its peers were verified against: tickets given under
/// another are not taken.
result<void> offer_tickets(SSL_CTX* ctx, const std::shared_ptr<ticket_keys>& keys, const std::string& trust);

/// The last tickets that clients of one loop were given, by peer, trust and own certificate. In memory only. Thread-safe.
class ticket_jar {
 public:
  using session_ptr = ossl::owned<SSL_SESSION, SSL_SESSION_free>;
  struct ticket {
    session_ptr session;
    std::string pinned_ca_pem;  ///< see peer_identity::ca_chain_pem
  };

  /// Keeps the latest of a key.
  void put(const std::string& key, ticket given);
  /// One to offer: whose server's certificate is valid now.
  std::shared_ptr<const ticket> find(const std::string& key);
  /// It was of no use.
  void drop(const std::string& key);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const ticket>> tickets_;
};

/// Where the tickets of one client's connection go.
struct ticket_place {
  std::shared_ptr<ticket_jar> jar;
  std::string key;
};

/// What a connection keeps until its ticket has come.
struct ticket_hope {
  ticket_place place;
  std::string pinned_ca_pem;
};

/// Makes a client's context hand its connections' tickets over.
void collect_tickets(SSL_CTX* ctx);
/// The next ticket of this connection is for `*hope`, which is then emptied and must live until then.
void await_ticket(SSL* ssl, std::unique_ptr<ticket_hope>* hope);

}  // namespace wh
