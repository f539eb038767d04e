#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <thread>

#include "fixtures.hpp"
#include "transport/link_live.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

enum class wire { sockets, memory };

/// Both ends of an established link.
struct pair_of_ends {
  explicit pair_of_ends(wire over)
      : loop(2),
        server(over == wire::sockets ? listener(loop, ca.server_config()) : listener(net, loop, ca.server_config())),
        dialer(over == wire::sockets ? live_link_dialer(loop) : net.dialer(loop)) {
    auto config = ca.client_config();
    config.identity = ca.client();
    auto made = dial(dialer, server.at(), config);
    REQUIRE_FALSE(made.failure);
    near = made.end;
    far.link = server.accepted();
    far.seen = server.seen;
    REQUIRE(far.link);
  }
  ~pair_of_ends() {
    near.link.reset();
    far.link.reset();
  }
  authority ca;
  memory_network net;
  event_loop loop;
  listener server;
  link_dialer dialer;
  endpoint near, far;
};

std::string pattern(std::size_t n) {
  std::string bytes(n, '\0');
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>((i * 131) >> 3);
  return bytes;
}

}  // namespace

TEST_CASE("bytes pass both ways over mutual TLS, and each end knows the other", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  p.near.link->write("hello ");
  p.near.link->write("hub");
  CHECK(p.far.seen->wait_bytes(9) == "hello hub");
  p.far.link->write("hello spoke");
  CHECK(p.near.seen->wait_bytes(11) == "hello spoke");
  CHECK(p.near.seen->drained.get());

  CHECK(p.far.link->peer().has_certificate);
  CHECK(p.far.link->peer().subj == subject{"spoke-1", {"spokes"}});
  CHECK(p.far.link->peer().public_key_sha256.size() == 64);
  CHECK_FALSE(p.far.link->peer().serial_hex.empty());
  CHECK_THAT(p.far.link->peer().remote_address, Contains("127.0.0.1:") || Contains("memory:"));
  CHECK(p.near.link->peer().subj.common_name == "hub");
}

TEST_CASE("ten megabytes pass both ways at once, in large and small writes", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  const auto data = pattern(10 * 1024 * 1024);
  p.near.link->write(data);
  std::thread small([&] {
    for (std::size_t at = 0; at < data.size(); at += 1000) p.far.link->write(data.substr(at, 1000));
  });
  CHECK((p.far.seen->wait_bytes(data.size()) == data));
  CHECK((p.near.seen->wait_bytes(data.size()) == data));
  small.join();
  CHECK(p.near.link->unsent() == 0);
}

TEST_CASE("writes from several threads do not tear each other", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c)
    writers.emplace_back([&p, c] {
      for (int i = 0; i < 500; ++i) p.near.link->write(std::string(100, c));
    });
  const auto got = p.far.seen->wait_bytes(4 * 500 * 100);
  for (auto& w : writers) w.join();
  REQUIRE(got.size() == 4 * 500 * 100);
  for (std::size_t at = 0; at < got.size(); at += 100) REQUIRE(got.substr(at, 100) == std::string(100, got[at]));
}

TEST_CASE("close flushes what is queued first", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  const auto data = pattern(3 * 1024 * 1024);
  p.near.link->write(data);
  p.near.link->close();
  p.near.link->write("too late");
  const auto why = p.far.seen->closed.get();
  REQUIRE(why);
  CHECK(why->message == "closed by the peer");
  CHECK((p.far.seen->wait_bytes(data.size()) == data));
  CHECK(p.near.seen->closed.get()->message == "closed by this side");
}

TEST_CASE("abort drops at once and tells its reason", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  p.near.link->abort("no credit left");
  CHECK(p.near.seen->closed.get()->message == "no credit left");
  CHECK(p.far.seen->closed.get()->code == errc::unavailable);
  p.near.link->abort("again");
  p.near.link->close();
  p.far.link->write("nobody");
  CHECK(p.near.seen->closed.times() == 1);
}

TEST_CASE("both ends may close at the same time", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  p.near.link->close();
  p.far.link->close();
  CHECK(p.near.seen->closed.get());
  CHECK(p.far.seen->closed.get());
}

TEST_CASE("a peer that does not read blocks nobody else", "[link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false));
  const auto config = ca.client_config();

  raw_tls deaf(server.at(), config);
  const auto to_deaf = server.accepted();
  REQUIRE(to_deaf);
  to_deaf->write(std::string(64 * 1024 * 1024, 'x'));

  auto lively = dial(loop, server.at(), config);
  REQUIRE_FALSE(lively.failure);
  lively.end.link->write("ping");
  CHECK(server.seen->wait_bytes(4) == "ping");
  CHECK(to_deaf->unsent() > 0);
  to_deaf->abort("deaf");
  CHECK(server.seen->closed.get()->message == "deaf");
}

TEST_CASE("half a record is waited for without turning the processor", "[link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false));
  // A TLS record header that announces more than ever comes.
  raw_socket half(server.at());
  REQUIRE(half.send(std::string("\x16\x03\x01\x02\x00\x01", 6)));

  auto lively = dial(loop, server.at(), ca.client_config());
  REQUIRE_FALSE(lively.failure);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  awaited<int> later;
  loop.after(300ms, [&] { later.set(1); });
  later.get();
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const auto micros = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
  CHECK(micros(after.ru_utime) + micros(after.ru_stime) - micros(before.ru_utime) - micros(before.ru_stime) < 150'000);
}

TEST_CASE("a handshake that is not finished in time is dropped", "[link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(), {.handshake_timeout = 50ms});
  const raw_socket silent(server.at());
  CHECK(silent.read_to_end().empty());
}

TEST_CASE("garbage on the port ends that connection only", "[link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false));
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(5000, '\xff'), pattern(3000),
                                   std::string("\x16\x03\x01\x00\x00", 5)}) {
    const raw_socket garbage(server.at());
    REQUIRE(garbage.send(bytes));
    garbage.read_to_end();
  }
  CHECK_FALSE(dial(loop, server.at(), ca.client_config()).failure);
}

TEST_CASE("connections beyond the limit are refused until one ends", "[link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false), {.connections_max = 1});
  auto first = dial(loop, server.at(), ca.client_config());
  REQUIRE_FALSE(first.failure);
  CHECK(dial(loop, server.at(), ca.client_config()).failure);
  first.end.link->close();
  REQUIRE(first.end.seen->closed.get());
  REQUIRE(server.seen->closed.get());
  CHECK_FALSE(dial(loop, server.at(), ca.client_config()).failure);
}

TEST_CASE("a listener out of file descriptors pauses and recovers", "[link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false));
  const raw_socket waiting(server.at());
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{3, limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  awaited<int> later;
  loop.after(50ms, [&] { later.set(1); });
  later.get();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK_FALSE(dial(loop, server.at(), ca.client_config()).failure);
}

TEST_CASE("open links survive their listener", "[link]") {
  pair_of_ends p(GENERATE(wire::sockets, wire::memory));
  const auto at = p.server.at();
  p.server.server->stop();
  p.near.link->write("still here");
  CHECK(p.far.seen->wait_bytes(10) == "still here");
  p.server.server.reset();
  p.near.link->write("!");
  CHECK(p.far.seen->wait_bytes(11) == "still here!");
  CHECK_THAT(dial(p.dialer, at, p.ca.client_config()).failure->message, Contains("connection refused"));
}

TEST_CASE("a loop may stop under open links that somebody still holds", "[link]") {
  authority ca;
  std::shared_ptr<connection> kept;
  std::weak_ptr<recorder> handler;
  {
    event_loop loop(2);
    listener server(loop, ca.server_config(false));
    auto made = dial(loop, server.at(), ca.client_config());
    REQUIRE_FALSE(made.failure);
    kept = made.end.link;
    handler = made.end.seen;
    kept->write(std::string(20 * 1024 * 1024, 'x'));
  }
  CHECK(handler.expired());
  kept->write("nobody");
  kept->close();
  kept->abort("late");
  CHECK(kept->peer().subj.common_name == "hub");
}

TEST_CASE("a handler that throws loses its connection only", "[link]") {
  struct thrower : recorder {
    void on_bytes(std::string_view) override { throw std::runtime_error("oops"); }
  };
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false));
  const auto seen = std::make_shared<thrower>();
  awaited<std::shared_ptr<connection>> link;
  dial_link(
      loop, server.at(), ca.client_config(), patience,
      [&](std::shared_ptr<connection> c) {
        link.set(std::move(c));
        return seen;
      },
      [](const error&) {});
  REQUIRE(link.get());
  server.accepted()->write("x");
  CHECK_THAT(seen->closed.get()->message, Contains("oops"));
  CHECK_FALSE(dial(loop, server.at(), ca.client_config()).failure);
}
