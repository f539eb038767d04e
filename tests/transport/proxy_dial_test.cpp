// Links dialled through a proxy; tests/e2e/network_test.py has https proxies and real programs.
#include <catch2/catch.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "fixtures.hpp"
#include "transport/link_live.hpp"
#include "transport/net_address.hpp"
#include "transport/proxy.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// Serves one client: reads its request, answers, and joins it with the hub where there is one.
class one_proxy {
 public:
  explicit one_proxy(std::string answer, std::optional<host_port> hub = std::nullopt)
      : listening_(open_listening_socket({"127.0.0.1", 0}).value()), at(bound_to(listening_, {"127.0.0.1", 0})) {
    thread_ = std::thread([this, answer = std::move(answer), hub] { serve(answer, hub); });
  }
  ~one_proxy() {
    thread_.join();
    ::close(listening_);
  }

 private:
  static void wait_readable(int fd) {
    pollfd what{fd, POLLIN, 0};
    ::poll(&what, 1, 30'000);
  }
  void serve(const std::string& answer, const std::optional<host_port>& hub) {
    wait_readable(listening_);
    const int client = ::accept(listening_, nullptr, nullptr);
    std::array<char, 4096> bytes{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const auto n = ::recv(client, bytes.data(), bytes.size(), 0);
      if (n <= 0) break;
      request.append(bytes.data(), static_cast<std::size_t>(n));
    }
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (hub) join(client, *hub);
    ::close(client);
  }
  static void join(int client, const host_port& hub) {
    const auto address = resolve(hub).value().front();
    const int far = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(far, address.get(), address.size) == 0) {
      std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{far, POLLIN, 0}};
      std::array<char, 16384> bytes{};
      for (bool open = true; open && ::poll(ends.data(), 2, 30'000) > 0;)
        for (std::size_t i = 0; i < 2; ++i) {
          if (ends[i].revents == 0) continue;
          const auto n = ::recv(ends[i].fd, bytes.data(), bytes.size(), 0);
          if (n <= 0) open = false;
          else ::send(ends[1 - i].fd, bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
        }
    }
    ::close(far);
  }

  const int listening_;
  std::thread thread_;

 public:
  const host_port at;
  std::string request;  ///< once it is gone
};

link_dialer through(event_loop& loop, const host_port& at, const std::string& credentials = {}) {
  return live_link_dialer(
      loop, {.source = {}, .proxy = std::make_shared<proxy_config>(proxy_config{at, false, credentials, {}})});
}

}  // namespace

TEST_CASE("a link passes a proxy both ways", "[link][proxy]") {
  const authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config());
  std::optional<one_proxy> proxy(std::in_place, "HTTP/1.1 200 OK\r\n\r\n", server.at());
  {
    const auto made = dial(through(loop, proxy->at, "user:secret"), server.at(), ca.client_config());
    REQUIRE_FALSE(made.failure);
    made.end.link->write(std::string(100'000, 'x'));
    CHECK(server.seen->wait_bytes(100'000).size() == 100'000);
    server.accepted()->write("back");
    CHECK(made.end.seen->wait_bytes(4) == "back");
    made.end.link->close();
    made.end.seen->closed.get();
  }
}

TEST_CASE("what a proxy answers instead is the dial's failure, and no password is in it", "[link][proxy]") {
  event_loop loop(1);
  const authority ca;
  const auto failure = [&](const std::string& answer) {
    const one_proxy proxy(answer);
    const auto made = dial(through(loop, proxy.at, "user:secret"), {"hub.invalid", 6444}, ca.client_config());
    REQUIRE(made.failure);
    CHECK(made.failure->code == errc::unavailable);
    CHECK_THAT(made.failure->message,
               Contains("dial hub.invalid:6444: proxy http://" + proxy.at.text() + ": ") && !Contains("secret"));
    return made.failure->message;
  };
  CHECK_THAT(failure("HTTP/1.1 407 No\r\n\r\n"), Contains("407 'No'"));
  CHECK_THAT(failure("HTTP/1.1 503 Too Busy\r\n\r\n"), Contains("answers 503 'Too Busy'"));
  CHECK_THAT(failure("hello\r\n"), Contains("no HTTP proxy is there"));
  CHECK_THAT(failure(""), Contains("without an answer"));
}

TEST_CASE("a proxy that is mute or away costs the dial's time at most", "[link][proxy]") {
  event_loop loop(1), stuck(1);
  const authority ca;
  const listener mute(stuck, ca.server_config());
  stuck.stop();
  const auto made = dial(through(loop, mute.at()), {"hub.invalid", 6444}, ca.client_config(), 300ms);
  REQUIRE(made.failure);
  CHECK_THAT(made.failure->message, Contains("proxy http://"));
  const auto away = dial(through(loop, {"no-such-proxy.invalid", 1}), {"hub", 1}, ca.client_config());
  REQUIRE(away.failure);
  CHECK_THAT(away.failure->message, Contains("proxy http://no-such-proxy.invalid:1: host name"));
}
