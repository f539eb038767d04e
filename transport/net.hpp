#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "transport/pki.hpp"

namespace wh {

/// `host:port`; IPv6 hosts in brackets.
struct host_port {
  std::string host;
  std::uint16_t port = 0;
  std::string text() const;
  friend bool operator==(const host_port&, const host_port&) = default;
};
result<host_port> parse_host_port(std::string_view text);
/// Several, each text being one or a list with commas; no two alike.
result<std::vector<host_port>> parse_host_ports(const std::vector<std::string>& texts);
/// The list with commas that parse_host_ports() reads.
std::string text_of(const std::vector<host_port>& all);

/// The node's I/O threads (Boost.Asio behind it). Handlers of one connection never run concurrently.
class event_loop {
 public:
  explicit event_loop(unsigned threads = 1);
  ~event_loop();
  void post(std::function<void()> f);
  /// Runs `f` after `d` on the loop; returns a token for cancel().
  std::uint64_t after(duration d, std::function<void()> f);
  void cancel(std::uint64_t token);
  /// Calls `f` once on SIGTERM or SIGINT.
  void on_terminate(std::function<void(int signal)> f);
  /// Stops and joins; pending handlers are dropped.
  void stop();
  struct impl;
  impl& internals() { return *impl_; }

 private:
  std::unique_ptr<impl> impl_;
};

/// What a TLS endpoint presents and whom it believes.
struct tls_config {
  key_and_cert identity;             ///< empty key: present nothing (a client before it joined)
  std::string chain_pem;             ///< further certificates sent after the leaf (a server sends its CA, for pinning)
  std::string trusted_ca_pem;        ///< peers must chain to this; may be empty on a client that pins
  std::string ca_pin;                ///< client only: accept the server's chain if a CA in it has this pin
  std::string verify_host;           ///< client only: name or IP the server's certificate must carry (SAN)
  bool request_client_cert = false;  ///< server only: ask for one; a bad one fails the handshake, none is allowed
  bool tls13_only = false;
  std::vector<std::string> alpn;
};

/// The proven identity at the other end of a connection.
struct peer_identity {
  bool has_certificate = false;
  bool resumed = false;  ///< proven by a ticket of an earlier connection, to which everything here belongs
  subject subj;
  std::string public_key_sha256;
  std::string serial_hex;
  instant not_before{}, not_after{};  ///< of the certificate
  std::string remote_address;         ///< ip:port; `memory:number` over a memory_network
  std::string ca_chain_pem;           ///< client side: the CA certificate that the pin matched
};

/// One established TLS byte stream of the link. Methods may be called from any thread; callbacks come on the loop.
class connection {
 public:
  virtual ~connection() = default;
  /// Queues bytes. The queue is not bounded here: the session's credit bounds it.
  virtual void write(std::string bytes) = 0;
  /// Flushes what is queued, then closes. on_closed follows.
  virtual void close() = 0;
  /// Drops at once. on_closed follows.
  virtual void abort(std::string reason) = 0;
  virtual const peer_identity& peer() const = 0;
  virtual std::size_t unsent() const = 0;
};

/// Receives what happens on one connection.
class connection_handler {
 public:
  virtual ~connection_handler() = default;
  virtual void on_bytes(std::string_view bytes) = 0;
  /// Everything queued has been handed to the kernel.
  virtual void on_drained() {}
  virtual void on_closed(const error& why) = 0;
};

using accept_handler = std::function<std::shared_ptr<connection_handler>(std::shared_ptr<connection>)>;

/// Listens for link connections: TLS 1.3 with OpenSSL directly on the non-blocking socket, buffers released when idle.
class link_listener {
 public:
  virtual ~link_listener() = default;
  virtual host_port local() const = 0;
  /// Replaces what new handshakes use (rotation); open connections stay.
  virtual void set_tls(const tls_config& config) = 0;
  /// Stops accepting; open connections stay.
  virtual void stop() = 0;
};

/// Limits of a listener; a handshake that is not finished in time is dropped.
struct listen_limits {
  duration handshake_timeout = std::chrono::seconds(10);
  /// While more than half of handshakes_max are under way: silent peers must not keep the others out for long.
  duration busy_handshake_timeout = std::chrono::seconds(3);
  std::size_t connections_max = 15000;
  std::size_t handshakes_max = 128;              ///< under way at once; further peers wait in the kernel's backlog
  duration ticket_life = std::chrono::hours(1);  ///< how long a session can be resumed; zero: never; at most an hour
};

result<std::unique_ptr<link_listener>> listen_link(event_loop& loop, const host_port& at, const tls_config& tls,
                                                   const listen_limits& limits, accept_handler on_accept);

struct proxy_config;  // transport/proxy.hpp

/// How a dial gets to its peer.
struct dial_route {
  std::string source = {};                              ///< local IP address to dial from; empty: the kernel chooses
  std::shared_ptr<const proxy_config> proxy = nullptr;  ///< an HTTP proxy to pass; it looks the peer's name up itself
};

/// Dials; exactly one of the two callbacks runs, on the loop. Of a name with several addresses each is tried, with its
/// share of the time. The error says whether name, proxy, TCP, TLS or pin failed.
void dial_link(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout,
               accept_handler on_connected, std::function<void(const error&)> on_failed, const dial_route& route = {});

}  // namespace wh
