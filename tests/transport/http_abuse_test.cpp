#include <catch2/catch.hpp>

#include <thread>

#include "http_fixtures.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

TEST_CASE("refusals carry status, body and the end of the connection", "[http][abuse]") {
  http_limits limits;
  limits.header_bytes_max = 2000;
  limits.body_bytes_max = 1000;
  const web w(limits);
  const auto big_header = w.talk("GET /echo HTTP/1.1\r\nHost: h\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  CHECK_THAT(big_header, Contains("HTTP/1.1 431 ") && Contains("\"code\":431") && Contains("connection: close"));
  const auto big_body =
      w.talk("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + std::string(3'000'000, 'x'));
  CHECK_THAT(big_body, Contains("HTTP/1.1 413 ") && Contains("larger than 1000 bytes"));
  const auto expectant =
      w.talk("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3000000\r\n\r\n");
  CHECK_THAT(expectant, Contains("413 ") && !Contains("100 Continue"));
  CHECK_THAT(w.talk("NONSENSE\r\n\r\n"), Contains("HTTP/1.1 400 ") && Contains("\"code\":400"));
}

TEST_CASE("a smuggled request is never served", "[http][abuse]") {
  const web w;
  const std::string hidden = "GET /echo?smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const char* headers :
       {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 44\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "Transfer-Encoding : chunked\r\n"}) {
    const auto text = w.talk("POST /echo HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n0\r\n\r\n" + hidden);
    CHECK_THAT(text, Contains("HTTP/1.1 400 ") && !Contains("smuggled"));
    CHECK(count(text, "HTTP/1.1 ") == 1);
  }
}

TEST_CASE("a client that sends its header slowly is dropped", "[http][abuse]") {
  http_limits limits;
  limits.header_timeout = 300ms;
  const web w(limits);
  raw_tls client(w.at(), w.client_config());
  const auto begin = std::chrono::steady_clock::now();
  bool open = true;
  for (const char c : std::string("GET /echo HTTP/1.1\r\nX: ") + std::string(1000, 'x')) {
    if (!(open = client.send(std::string(1, c)))) break;
    std::this_thread::sleep_for(20ms);
    if (std::chrono::steady_clock::now() - begin > patience) break;
  }
  CHECK_FALSE(open);
}

TEST_CASE("a client that sends its body slowly, or nothing any more, is dropped", "[http][abuse]") {
  http_limits limits;
  limits.idle_timeout = 200ms;
  const web w(limits);
  CHECK(w.talk("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc").empty());
  CHECK_THAT(w.talk("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"), Contains("200 OK"));
}

TEST_CASE("a client that does not read is dropped, and what is queued for it can be seen", "[http][abuse]") {
  http_limits limits;
  limits.write_timeout = 300ms;
  web w(limits);
  raw_tls client(w.at(), w.client_config());
  REQUIRE(client.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto watch = *w.watch.get();
  const auto event = share(std::string(1024 * 1024, 'e'));
  for (int i = 0; i < 64; ++i) watch->write_chunk(event);
  CHECK(watch->unsent() > 1024 * 1024);
  REQUIRE(w.done.get());
  CHECK_FALSE(watch->alive());
}

TEST_CASE("a client that asks on and on and never reads is answered once", "[http][abuse]") {
  http_limits limits;
  limits.write_timeout = 500ms;
  web w(limits);
  raw_tls client(w.at(), w.client_config());
  std::string many;
  for (int i = 0; i < 100; ++i) many += "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(client.send(many + "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n"));
  std::this_thread::sleep_for(700ms);  // unread answers end the connection
  CHECK(w.larges < 10);
  CHECK(w.client()->request("GET", "/large")->body->size() == 8 * 1024 * 1024);
}

TEST_CASE("a client that asks on and on and reads gets every answer", "[http][abuse]") {
  const web w;
  std::string many;
  for (int i = 0; i < 20; ++i) many += "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto all = w.talk(many + "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(count(all, "200 OK") == 21);
  CHECK(all.size() > 20 * 8 * 1024 * 1024);
}

TEST_CASE("plain HTTP on the HTTPS port does no harm", "[http][abuse]") {
  const web w;
  const raw_socket plain(w.at());
  REQUIRE(plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  plain.read_to_end();
  CHECK(w.client()->request("GET", "/echo")->status == 200);
}

TEST_CASE("connections beyond the limit are refused", "[http][abuse]") {
  http_limits limits;
  limits.connections_max = 2;
  const web w(limits);
  raw_tls first(w.at(), w.client_config());
  raw_tls second(w.at(), w.client_config());
  CHECK_FALSE(w.client()->request("GET", "/echo").ok());
  REQUIRE(first.send("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  CHECK_THAT(first.read_to_end(), Contains("200 OK"));
}

TEST_CASE("many clients at once are all served", "[http][abuse]") {
  const web w;
  std::vector<std::thread> clients;
  std::atomic<int> served = 0;
  for (int i = 0; i < 16; ++i)
    clients.emplace_back([&] {
      const auto client = w.client();
      for (int n = 0; n < 20; ++n) {
        const auto got = client->request("POST", "/echo", {}, std::string(1000, 'b'));
        if (got.ok() && got->status == 200) ++served;
      }
    });
  for (auto& c : clients) c.join();
  CHECK(served == 320);
}
