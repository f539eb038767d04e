#pragma once
#include <chrono>
#include <memory>

#include "transport/tls.hpp"

namespace wh {

/// A TLS connection for code that may wait, with a deadline on every call.
class blocking_stream {
 public:
  using clock = std::chrono::steady_clock;

  /// Resolves, connects and shakes hands.
  static result<std::unique_ptr<blocking_stream>> dial(const host_port& to, const tls_context_ptr& tls,
                                                       clock::time_point deadline);
  ~blocking_stream();
  blocking_stream(const blocking_stream&) = delete;
  blocking_stream& operator=(const blocking_stream&) = delete;

  result<void> write(std::string_view bytes, clock::time_point deadline);
  /// How many bytes came; 0 at the end of the stream.
  result<std::size_t> read(char* to, std::size_t size, clock::time_point deadline);
  /// True if the peer has closed, or said something unasked: not fit for another request.
  bool stale() const;

 private:
  explicit blocking_stream(int fd) : socket_(fd) {}
  /// Waits as the status says; an error if it says failure or the deadline passes.
  result<void> wait(io_status status, clock::time_point deadline);

  struct socket final : byte_stream {
    explicit socket(int number) : fd(number) {}
    ssize_t send(const char* bytes, std::size_t size) override { return socket_send(fd, bytes, size); }
    ssize_t receive(char* to, std::size_t size) override { return socket_receive(fd, to, size); }
    int fd;
  };
  socket socket_;
  std::unique_ptr<tls_stream> tls_;
};

}  // namespace wh
