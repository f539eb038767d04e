#include "transport/net_address.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>

#include "transport/tls.hpp"

namespace wh {

std::string host_port::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

result<host_port> parse_host_port(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(errc::malformed, "'" + std::string(text) + "' is not host:port: " + std::string(why));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') != host.ends_with(']')) return wrong("unbalanced brackets");
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos) return wrong("an IPv6 address needs brackets");
  if (host.empty()) return wrong("no host");
  if (host.size() > 255 || host.find_first_of(std::string_view(" \t\r\n\0/@[]", 9)) != std::string_view::npos)
    return wrong("bad host");
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size()) return wrong("the port is not a number up to 65535");
  return host_port{std::string(host), port};
}

result<std::vector<host_port>> parse_host_ports(const std::vector<std::string>& texts) {
  std::vector<host_port> all;
  for (const std::string_view text : texts) {
    for (std::size_t from = 0; from <= text.size();) {
      const auto comma = std::min(text.find(',', from), text.size());
      auto one = parse_host_port(text.substr(from, comma - from));
      if (!one) return one.err();
      if (std::find(all.begin(), all.end(), *one) == all.end()) all.push_back(*std::move(one));
      from = comma + 1;
    }
  }
  return all;
}

std::string text_of(const std::vector<host_port>& all) {
  std::string text;
  for (const auto& each : all) text += (text.empty() ? "" : ",") + each.text();
  return text;
}

result<std::vector<socket_address>> resolve(const host_port& at) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int rc = ::getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &hints, &found);
  if (rc != 0) return fail(errc::unavailable, "host name '" + at.host + "': " + gai_strerror(rc));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, ::freeaddrinfo);
  std::vector<socket_address> out;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    socket_address address;
    std::copy_n(reinterpret_cast<const char*>(a->ai_addr), a->ai_addrlen, reinterpret_cast<char*>(&address.storage));
    address.size = a->ai_addrlen;
    out.push_back(address);
  }
  return out;
}

result<int> open_listening_socket(const host_port& at) {
  const auto addresses = resolve(at);
  if (!addresses) return fail(addresses.err().code, "listen " + at.text() + ": " + addresses.err().message);
  const auto& address = addresses->front();
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(errc::io, "listen " + at.text() + ": " + errno_text(errno));
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "[::]" means every address, IPv4 ones too, wherever the system's default differs.
  if (address.storage.ss_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, address.get(), address.size) != 0 || ::listen(fd, 4096) != 0) {
    const int code = errno;
    ::close(fd);
    return fail(errc::io, "listen " + at.text() + ": " + errno_text(code));
  }
  return fd;
}

host_port bound_to(int fd, const host_port& asked) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return asked;
  const auto port = address.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in*>(&address)->sin_port
                                                 : reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port;
  return {asked.host, ntohs(port)};
}

}  // namespace wh
