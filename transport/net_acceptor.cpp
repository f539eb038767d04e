#include "transport/net_acceptor.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>

#include "transport/net_address.hpp"

namespace wh {
namespace {

// So few per turn that handshakes already begun get their turn too; the kernel's backlog queues the rest of a storm.
constexpr int accepts_per_turn = 16;
constexpr auto descriptor_pause = std::chrono::milliseconds(100);

}  // namespace

result<std::shared_ptr<tcp_acceptor>> tcp_acceptor::open(event_loop& loop, const host_port& at, const limits& within,
                                                         socket_function on_socket) {
  const auto fd = open_listening_socket(at);
  if (!fd) return fd.err();
  const auto& core = loop.internals().core;
  auto made = std::make_shared<tcp_acceptor>(core);
  made->local_ = bound_to(*fd, at);
  made->within_ = within;
  made->on_socket_ = std::move(on_socket);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(*fd, reinterpret_cast<sockaddr*>(&address), &size);
  asio_error ec;
  made->parts_->socket.assign(address.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), *fd, ec);
  if (ec) {
    ::close(*fd);
    return fail(errc::io, "listen " + at.text() + ": " + ec.message());
  }
  if (!made->settle(core)) {
    made->loop_stopped();
    return fail(errc::unavailable, "listen " + at.text() + ": the event loop has stopped");
  }
  made->wait();
  return made;
}

tcp_acceptor::tcp_acceptor(const std::shared_ptr<loop_core>& core) {
  const auto executor = core->io.get_executor();
  parts_.emplace(parts{core, acceptor_type(executor), loop_timer(executor)});
}

tcp_acceptor::~tcp_acceptor() = default;

void tcp_acceptor::wait() {
  const std::lock_guard lock(mutex_);
  if (!parts_ || !parts_->socket.is_open()) return;
  parts_->socket.async_wait(asio::socket_base::wait_read, [me = self()](const asio_error& ec) {
    if (!ec) me->accept_some();
  });
}

void tcp_acceptor::accept_some() {
  for (int i = 0; i < accepts_per_turn; ++i) {
    auto turn = take_turn();
    if (!turn) return;
    int fd = -1;
    int code = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!parts_ || !parts_->socket.is_open()) return;
      fd = ::accept4(parts_->socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      code = errno;
    }
    if (fd < 0) {
      if (code == EAGAIN) break;
      if (code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM) return wait_for_descriptors(code);
      continue;  // ECONNABORTED and the like belong to that one connection
    }
    if (++*live_ > within_.connections_max) {
      --*live_;
      ::close(fd);
      if (refused_++ % 1000 == 0)
        spdlog::warn("listener {}: {} connections are open, refusing more", local_.text(), within_.connections_max);
      continue;
    }
    try {
      on_socket_(fd, live_, std::move(turn));
    } catch (const std::exception& e) {
      // Memory is the likely cause; the listener must outlive it.
      spdlog::error("listener {}: cannot take a connection: {}", local_.text(), e.what());
    }
  }
  wait();
}

handshake_turn_ptr tcp_acceptor::take_turn() {
  const std::lock_guard lock(mutex_);
  all_taken_ = turns_ >= within_.handshakes_max;
  if (all_taken_) return nullptr;
  return std::make_shared<const handshake_turn>(weak_self(), ++turns_ > within_.handshakes_max / 2);
}

void tcp_acceptor::turn_over() {
  {
    const std::lock_guard lock(mutex_);
    --turns_;
    if (!std::exchange(all_taken_, false)) return;
  }
  wait();
}

handshake_turn::~handshake_turn() {
  if (const auto acceptor = of.lock()) acceptor->turn_over();
}

void tcp_acceptor::wait_for_descriptors(int code) {
  // The waiting connection keeps the socket readable: waiting for it again at once would spin.
  spdlog::warn("listener {}: cannot accept: {}; pausing", local_.text(), errno_text(code));
  const std::lock_guard lock(mutex_);
  if (!parts_) return;
  parts_->pause.expires_after(descriptor_pause);
  parts_->pause.async_wait([me = self()](const asio_error& ec) {
    if (!ec) me->accept_some();
  });
}

void tcp_acceptor::stop() {
  const std::lock_guard lock(mutex_);
  if (!parts_) return;
  asio_error ignored;
  parts_->socket.close(ignored);
  parts_->pause.cancel();
}

void tcp_acceptor::loop_stopped() {
  std::optional<parts> gone;
  const std::lock_guard lock(mutex_);
  gone.swap(parts_);
  on_socket_ = nullptr;
}

}  // namespace wh
