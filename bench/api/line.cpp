#include "bench/api/line.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace wh::bench {
namespace {

constexpr std::size_t events_max = 256;
std::array<char, 65536> input;  // of the one thread

}  // namespace

std::atomic<bool> interrupted = false;

// --- the loop ---------------------------------------------------------------------------------------------------------

client_loop::client_loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
client_loop::~client_loop() { ::close(epoll_); }

int client_loop::wait_ms(clock::time_point until) const {
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000));
}

void client_loop::run_timers() {
  while (!timers_.empty() && timers_.begin()->first <= clock::now()) {
    const auto f = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    f();
  }
}

bool client_loop::run(const std::function<bool()>& done, clock::duration limit) {
  const auto until = clock::now() + limit;
  std::array<epoll_event, events_max> events;
  while (!done()) {
    if (interrupted || clock::now() >= until) return false;
    const int n = ::epoll_wait(epoll_, events.data(), events.size(), wait_ms(until));
    for (int i = 0; i < n; ++i) static_cast<line*>(events[static_cast<std::size_t>(i)].data.ptr)->ready();
    run_timers();
  }
  return true;
}

// --- a line -----------------------------------------------------------------------------------------------------------

line::line(client_loop& loop, const endpoint& to, line_user& user, std::size_t number)
    : loop_(loop), to_(to), user_(user), number_(number) {}

line::~line() {
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
}

ssize_t line::send(const char* bytes, std::size_t size) { return socket_send(fd_, bytes, size); }
ssize_t line::receive(char* to, std::size_t size) { return socket_receive(fd_, to, size); }

void line::dial() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to_.at.port);
  ::inet_pton(AF_INET, to_.at.host.c_str(), &address.sin_addr);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  phase_ = phase::connecting;
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    return end(fail(errc::unavailable, "dial " + to_.at.text() + ": " + errno_text(errno)));
  if (to_.tls) tls_ = std::make_unique<tls_stream>(to_.tls, *this);
  // Told of every change once: a line tries everything whenever it is told.
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = this}};
  ::epoll_ctl(loop_.descriptor(), EPOLL_CTL_ADD, fd_, &event);
}

void line::send(std::string_view method, std::string_view target, std::string_view body,
                std::string_view content_type) {
  (out_ += method) += ' ';
  (out_ += target) += " HTTP/1.1\r\n";
  out_ += to_.headers;
  if (!body.empty()) {
    (out_ += "content-type: ") += content_type;
    ((out_ += "\r\ncontent-length: ") += std::to_string(body.size())) += "\r\n";
  }
  (out_ += "\r\n") += body;
  sent_at_ = clock::now();
  if (phase_ == phase::open) flush();
}

void line::ready() {
  if (phase_ == phase::ended || !progress()) return;
  flush();
  read_all();
}

/// True once the line is open.
bool line::progress() {
  if (phase_ == phase::connecting) {
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) end(fail(errc::unavailable, "dial " + to_.at.text() + ": " + errno_text(code)));
    else phase_ = phase::handshaking;
  }
  if (phase_ == phase::handshaking) {
    const auto status = tls_ ? tls_->handshake() : io_status::done;
    if (status == io_status::failed || status == io_status::closed) end(tls_->failure());
    if (status != io_status::done) return false;
    if (tls_) tls_->forget_handshake();
    phase_ = phase::open;
    user_.on_open(*this);
  }
  return phase_ == phase::open;
}

io_status line::write_some(std::size_t& n) {
  const auto left = std::string_view(out_).substr(out_at_);
  if (tls_) return tls_->write(left, n);
  const ssize_t sent = send(left.data(), left.size());
  if (sent < 0) return errno == EAGAIN ? io_status::want_write : io_status::failed;
  n = static_cast<std::size_t>(sent);
  return io_status::done;
}

void line::flush() {
  while (phase_ == phase::open && out_at_ < out_.size()) {
    std::size_t n = 0;
    const auto status = write_some(n);
    if (status == io_status::want_write || status == io_status::want_read) return;
    if (status != io_status::done) return end(fail(errc::unavailable, "the server takes no more bytes"));
    out_at_ += n;
  }
  out_.clear();
  out_at_ = 0;
}

io_status line::read_some(char* to, std::size_t size, std::size_t& n) {
  if (tls_) return tls_->read(to, size, n);
  const ssize_t got = receive(to, size);
  if (got == 0) return io_status::closed;
  if (got < 0) return errno == EAGAIN ? io_status::want_read : io_status::failed;
  n = static_cast<std::size_t>(got);
  return io_status::done;
}

void line::read_all() {
  while (phase_ == phase::open) {
    std::size_t n = 0;
    const auto status = read_some(input.data(), input.size(), n);
    if (status == io_status::want_read || status == io_status::want_write) return;
    if (status == io_status::closed) return end(fail(errc::unavailable, "the server closed the connection"));
    if (status != io_status::done)
      return end(tls_ ? tls_->failure() : fail(errc::unavailable, errno_text(errno) + " while reading"));
    if (auto ok = reader_.append({input.data(), n}, *this); !ok) return end(ok.err());
  }
}

void line::end(const error& why) {
  phase_ = phase::ended;
  const error copy = why;
  tls_.reset();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  user_.on_end(*this, copy);
}

}  // namespace wh::bench
