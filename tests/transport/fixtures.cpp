#include "fixtures.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "transport/link_live.hpp"
#include "transport/net_address.hpp"
#include "transport/tls_blocking.hpp"

namespace wh::test {
namespace {

template <class T>
T must(result<T> r) {
  if (!r) throw std::runtime_error(r.err().message);
  return std::move(*r);
}

blocking_stream::clock::time_point deadline() { return blocking_stream::clock::now() + patience; }

}  // namespace

instant now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

authority::authority(const std::string& name) {
  ca.key_pem = must(generate_key());
  ca.cert_pem = must(make_ca_certificate(ca.key_pem, name, now() - hours(24), now() + hours(240)));
}

key_and_cert authority::issue(leaf_profile profile) const {
  if (profile.not_before == instant{}) profile.not_before = now() - hours(1);
  if (profile.not_after == instant{}) profile.not_after = now() + hours(1);
  key_and_cert leaf;
  leaf.key_pem = must(generate_key());
  leaf.cert_pem = must(issue_for_key(ca, leaf.key_pem, profile));
  return leaf;
}

key_and_cert authority::server() const {
  leaf_profile profile;
  profile.subj.common_name = "hub";
  profile.server_auth = true;
  profile.dns_names = {"localhost"};
  profile.ip_addresses = {"127.0.0.1"};
  return issue(profile);
}

key_and_cert authority::client(const std::string& name, std::vector<std::string> groups) const {
  leaf_profile profile;
  profile.subj = {name, std::move(groups)};
  profile.client_auth = true;
  return issue(profile);
}

tls_config authority::server_config(bool request_client_cert) const {
  tls_config config;
  config.identity = server();
  config.chain_pem = ca.cert_pem;
  config.request_client_cert = request_client_cert;
  if (request_client_cert) config.trusted_ca_pem = ca.cert_pem;
  return config;
}

tls_config authority::client_config() const {
  tls_config config;
  config.trusted_ca_pem = ca.cert_pem;
  config.verify_host = "127.0.0.1";
  return config;
}

std::string authority::pin() const { return must(ca_pin(ca.cert_pem)); }

void recorder::on_bytes(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  more_.notify_all();
}

std::string recorder::wait_bytes(std::size_t n) {
  std::unique_lock lock(mutex_);
  more_.wait_for(lock, patience, [&] { return bytes_.size() >= n; });
  return bytes_;
}

dialed dial(event_loop& loop, const host_port& to, const tls_config& tls, duration timeout) {
  return dial(live_link_dialer(loop), to, tls, timeout);
}

dialed dial(const link_dialer& over, const host_port& to, const tls_config& tls, duration timeout) {
  struct outcome {
    std::shared_ptr<connection> link;
    std::optional<error> failure;
  };
  dialed made;
  const auto result = std::make_shared<awaited<outcome>>();
  over(
      to, tls, timeout,
      [result, seen = made.end.seen](std::shared_ptr<connection> link) {
        result->set({std::move(link), std::nullopt});
        return seen;
      },
      [result](const error& why) {
        result->set({nullptr, why});
      });
  auto got = result->get();
  if (!got) throw std::runtime_error("neither callback of dial_link ran");
  made.end.link = got->link;
  made.failure = got->failure;
  return made;
}

listener::listener(event_loop& loop, const tls_config& tls, const listen_limits& limits)
    : server(must(listen_link(loop, {"127.0.0.1", 0}, tls, limits, keep()))) {}

listener::listener(memory_network& over, event_loop& loop, const tls_config& tls, const listen_limits& limits)
    : server(must(over.listen(loop, {"127.0.0.1", 0}, tls, limits, keep()))) {}

accept_handler listener::keep() {
  return [this](std::shared_ptr<connection> link) {
    last.set(std::move(link));
    return seen;
  };
}

raw_socket::raw_socket(const host_port& to) {
  const auto addresses = must(resolve(to));
  fd_ = ::socket(addresses.front().storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd_, addresses.front().get(), addresses.front().size) != 0) throw std::runtime_error("connect failed");
  const timeval limit{std::chrono::seconds(patience).count(), 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

raw_socket::~raw_socket() { ::close(fd_); }

bool raw_socket::send(std::string_view bytes) const {
  return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::string raw_socket::read_to_end() const {
  std::string all;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n <= 0) return all;
    all.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

struct raw_tls::state {
  std::unique_ptr<blocking_stream> stream;
};

raw_tls::raw_tls(const host_port& to, const tls_config& tls) : state_(std::make_unique<state>()) {
  state_->stream = must(blocking_stream::dial(to, must(make_client_context(tls, to.host)), deadline()));
}

raw_tls::~raw_tls() = default;

bool raw_tls::send(std::string_view bytes) { return state_->stream->write(bytes, deadline()).ok(); }

std::string raw_tls::read_to_end() { return read_until({}); }

std::string raw_tls::read_until(std::string_view what) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (what.empty() || all.find(what) == std::string::npos) {
    const auto n = state_->stream->read(buffer.data(), buffer.size(), deadline());
    if (!n || *n == 0) break;
    all.append(buffer.data(), *n);
  }
  return all;
}

}  // namespace wh::test
