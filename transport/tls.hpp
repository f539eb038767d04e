#pragma once
// TLS on a non-blocking stream: a state machine that is told when the stream may be ready. It owns no thread, timer or
// socket, so that the event loop and the blocking client share it.
#include <sys/types.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/net.hpp"
#include "transport/openssl.hpp"
#include "transport/tls_tickets.hpp"

namespace wh {

/// What a client shows of itself.
struct tls_credentials {
  ossl::pkey_ptr key;
  std::vector<ossl::x509_ptr> certs;  ///< the leaf, then its chain
};

/// Keys, trust and options, prepared once and shared by all connections made with them.
struct tls_context {
  ossl::ctx_ptr ctx;                           ///< a server's own certificate is in here
  std::shared_ptr<const tls_credentials> own;  ///< client: null without a certificate
  bool server = false;
  bool has_trust = false;   ///< a set of trusted CAs was given
  std::string ca_pin;       ///< client: see tls_config
  std::string verify_host;  ///< client: see tls_config
  ticket_place tickets;     ///< client: without a jar it keeps none
};
using tls_context_ptr = std::shared_ptr<const tls_context>;

/// Checks a configuration and prepares it. `tls13_only` is forced on for links.
/// With ticket keys its clients can resume their sessions.
result<tls_context_ptr> make_server_context(const tls_config& config,
                                            const std::shared_ptr<ticket_keys>& tickets = nullptr);
/// `host` is what the certificate must name when the configuration does not say.
result<tls_context_ptr> make_client_context(const tls_config& config, const std::string& host);

/// Makes client contexts that have everything but their credentials in common share one SSL_CTX: making one takes most of
/// a millisecond, keeping one 30 KiB. Keeps the last few it made, and the tickets with which their sessions can be resumed.
/// Thread-safe.
class client_context_memo {
 public:
  result<tls_context_ptr> make(const tls_config& config, const host_port& to);

 private:
  const std::shared_ptr<ticket_jar> jar_ = std::make_shared<ticket_jar>();
  std::mutex mutex_;                                          ///< guards what follows
  std::deque<std::pair<std::string, tls_context_ptr>> made_;  ///< by all that went into it; newest first
};

/// What TLS runs over. Never waits; results and errno as of send() and recv() on a non-blocking socket.
class byte_stream {
 public:
  virtual ~byte_stream() = default;
  virtual ssize_t send(const char* bytes, std::size_t size) = 0;
  virtual ssize_t receive(char* to, std::size_t size) = 0;
};

/// Both for byte_streams that are sockets.
ssize_t socket_send(int fd, const char* bytes, std::size_t size);
ssize_t socket_receive(int fd, char* to, std::size_t size);

enum class io_status {
  done,        ///< progress was made
  want_read,   ///< wait until the stream is readable
  want_write,  ///< wait until the stream is writable
  closed,      ///< the peer has ended the stream in good order
  failed,      ///< see failure()
};

/// One TLS connection on a stream that it does not own.
class tls_stream {
 public:
  tls_stream(tls_context_ptr context, byte_stream& below);
  ~tls_stream();
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  io_status handshake();
  /// Reads at most one record's worth; `n` is what came.
  io_status read(char* to, std::size_t size, std::size_t& n);
  /// After want_*, the next write must begin with the same bytes and be no shorter.
  io_status write(std::string_view bytes, std::size_t& n);
  /// Says goodbye; does not wait for the peer's.
  io_status shutdown();
  /// Why the last call failed.
  const error& failure() const { return failure_; }
  /// A server's, after a failed handshake: what the client's certificate says, if it was that which was refused.
  std::optional<subject> refused_client() const;
  /// Whom the handshake proved; `remote` is the peer's address.
  result<peer_identity> identity(std::string remote) const;
  std::string alpn() const;
  /// Frees what only the handshake needed.
  void forget_handshake();

 private:
  struct handshake_notes;
  static int verify_peer(X509_STORE_CTX* store, void*);
  friend result<tls_context_ptr> make_server_context(const tls_config& config,
                                                     const std::shared_ptr<ticket_keys>& tickets);
  friend class client_trust;
  bool show(const tls_credentials& own);
  void offer_ticket();
  io_status outcome(int rc, const char* doing);

  ossl::ssl_ptr ssl_;
  std::unique_ptr<handshake_notes> notes_;
  std::unique_ptr<ticket_hope> hope_;  ///< client: until its ticket has come
  error failure_;
};

/// An errno's text in lower case, as it is quoted in our messages.
std::string errno_text(int code);

}  // namespace wh
