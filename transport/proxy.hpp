#pragma once
// An HTTP proxy between a spoke and its hub: what is said to it before the link begins (RFC 9110 section 9.3.6).
#include <memory>
#include <string>
#include <string_view>

#include "transport/tls.hpp"

namespace wh {

/// Where the proxy is and how it is spoken to. Never printed as a whole: `text()` is.
struct proxy_config {
  host_port at;
  bool tls = false;         ///< https: the proxy shows a certificate of its own
  std::string credentials;  ///< `user:password`; empty: none
  std::string ca_pem;       ///< with tls: who signs the proxy's certificate
  /// `http://host:port`, without credentials.
  std::string text() const;
  friend bool operator==(const proxy_config&, const proxy_config&) = default;
};

/// Reads `http://[user:password@]host[:port]` or `https://…`; the ports are 80 and 443 unless said. User and password may be
/// percent-encoded. Errors never quote what may be a password.
result<proxy_config> parse_proxy_url(std::string_view url);

/// `user:password`, checked: a user without colon, and nothing that would break a header.
result<void> check_proxy_credentials(std::string_view credentials);

/// What the bytes of a proxy's answer come to so far.
struct connect_answer {
  enum class state : std::uint8_t { incomplete, opened, refused };
  state is = state::incomplete;
  error why;  ///< of a refusal: its status and reason, or what is wrong with the bytes
};
inline constexpr std::size_t connect_answer_bytes_max = 16 * 1024;

/// Reads the head of an answer to CONNECT; `head` is all that has come so far.
connect_answer read_connect_answer(std::string_view head);

/// Asks a proxy for a tunnel, over a stream that reaches it.
class connect_exchange {
 public:
  connect_exchange(const proxy_config& proxy, const host_port& to);
  /// done: the stream is now the hub's. failed: see failure().
  io_status step(byte_stream& over);
  const error& failure() const { return failure_; }

 private:
  io_status fail_with(std::string why);

  std::string request_;
  std::size_t sent_ = 0;
  std::string head_;
  error failure_;
};

}  // namespace wh
