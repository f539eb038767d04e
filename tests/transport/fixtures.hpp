#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "transport/http.hpp"
#include "transport/memory_network.hpp"
#include "transport/net.hpp"
#include "transport/pki.hpp"

namespace wh::test {

/// Long enough for a loaded machine with sanitizers; nothing waits so long unless it fails.
constexpr auto patience = std::chrono::seconds(30);

instant now();
constexpr duration hours(int n) { return std::chrono::hours(n); }

/// A CA and what it issues.
struct authority {
  key_and_cert ca;
  explicit authority(const std::string& name = "test-ca");

  /// A leaf with the profile's gaps filled: valid now, for an hour.
  key_and_cert issue(leaf_profile profile) const;
  /// For localhost and 127.0.0.1.
  key_and_cert server() const;
  key_and_cert client(const std::string& name = "spoke-1", std::vector<std::string> groups = {"spokes"}) const;

  tls_config server_config(bool request_client_cert = true) const;
  tls_config client_config() const;
  std::string pin() const;
};

/// A value that some other thread sets.
template <class T>
class awaited {
 public:
  void set(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    ++times_;
    changed_.notify_all();
  }
  /// Empty if nothing came.
  std::optional<T> get() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return value_.has_value(); });
    return value_;
  }
  int times() const {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
  int times_ = 0;
};

/// Keeps what happens on a connection.
class recorder : public connection_handler {
 public:
  void on_bytes(std::string_view bytes) override;
  void on_drained() override { drained.set(true); }
  void on_closed(const error& why) override { closed.set(why); }
  /// Waits until at least `n` bytes have come; returns all.
  std::string wait_bytes(std::size_t n);

  awaited<bool> drained;
  awaited<error> closed;

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::string bytes_;
};

/// One end of a link as a test sees it.
struct endpoint {
  std::shared_ptr<connection> link;
  std::shared_ptr<recorder> seen = std::make_shared<recorder>();
};

/// The outcome of a dial.
struct dialed {
  endpoint end;
  std::optional<error> failure;
};
dialed dial(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout = patience);
/// The same over any network.
dialed dial(const link_dialer& over, const host_port& to, const tls_config& tls, duration timeout = patience);

/// A listener that records its connections.
struct listener {
  listener(event_loop& loop, const tls_config& tls, const listen_limits& limits = {});
  listener(memory_network& over, event_loop& loop, const tls_config& tls, const listen_limits& limits = {});
  /// The next accepted end.
  std::shared_ptr<connection> accepted() { return last.get().value_or(nullptr); }
  host_port at() const { return server->local(); }

  std::shared_ptr<recorder> seen = std::make_shared<recorder>();
  awaited<std::shared_ptr<connection>> last;
  std::unique_ptr<link_listener> server;

 private:
  accept_handler keep();
};

/// A plain TCP socket, blocking, that ends with the object.
class raw_socket {
 public:
  explicit raw_socket(const host_port& to);
  ~raw_socket();
  raw_socket(const raw_socket&) = delete;
  raw_socket& operator=(const raw_socket&) = delete;
  bool send(std::string_view bytes) const;
  /// Reads until the other side ends or resets the connection.
  std::string read_to_end() const;

 private:
  int fd_;
};

/// A TLS client that sends and receives exactly what a test wants; blocking.
class raw_tls {
 public:
  raw_tls(const host_port& to, const tls_config& tls);
  ~raw_tls();
  bool send(std::string_view bytes);
  std::string read_to_end();
  /// Reads until `what` has come, or the end.
  std::string read_until(std::string_view what);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace wh::test
