#pragma once
// TLS on a non-blocking stream: a state machine that is told when the stream may be ready. It owns no thread, timer or
// socket, so that the event loop and the blocking client share it.
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "transport/net.hpp"
#include "transport/openssl.hpp"

namespace wh {

/// Keys, trust and options, prepared once and shared by all connections made with them.
struct tls_context {
  ossl::ctx_ptr ctx;
  bool server = false;
  bool has_trust = false;   ///< a set of trusted CAs was given
  std::string ca_pin;       ///< client: see tls_config
  std::string verify_host;  ///< client: see tls_config
};
using tls_context_ptr = std::shared_ptr<const tls_context>;

/// Checks a configuration and prepares it. `tls13_only` is forced on for links.
result<tls_context_ptr> make_server_context(const tls_config& config);
/// `host` is what the certificate must name when the configuration does not say.
result<tls_context_ptr> make_client_context(const tls_config& config, const std::string& host);

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
  /// Whom the handshake proved; `remote` is the peer's address.
  result<peer_identity> identity(std::string remote) const;
  std::string alpn() const;
  /// Frees what only the handshake needed.
  void forget_handshake();

 private:
  struct handshake_notes;
  static int verify_peer(X509_STORE_CTX* store, void*);
  friend result<tls_context_ptr> make_server_context(const tls_config& config);
  friend result<tls_context_ptr> make_client_context(const tls_config& config, const std::string& host);
  io_status outcome(int rc, const char* doing);

  tls_context_ptr context_;
  ossl::ssl_ptr ssl_;
  std::unique_ptr<handshake_notes> notes_;
  error failure_;
};

/// An errno's text in lower case, as it is quoted in our messages.
std::string errno_text(int code);

}  // namespace wh
