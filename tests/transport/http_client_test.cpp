#include <catch2/catch.hpp>

#include <thread>

#include "http_fixtures.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

TEST_CASE("the client asks, is answered and keeps its connection", "[http][client]") {
  const web w;
  const auto client = w.client();
  for (const char* method : {"GET", "PUT", "PATCH", "DELETE", "POST"}) {
    const auto got = client->request(method, "/echo?x=1", {{"X-A", "b"}}, "body");
    REQUIRE(got.ok());
    CHECK(got->status == 200);
    CHECK_THAT(*got->body, Contains(std::string(method) + " /echo?x=1\n") && Contains("x-a=b\n") && Contains("body"));
  }
  CHECK(client->request("HEAD", "/echo")->body->empty());
  CHECK(client->request("GET", "/large")->body->size() == 8 * 1024 * 1024);
  CHECK(*client->request("GET", "/stream")->body == "one\ntwo\nthree\n");
}

TEST_CASE("a connection that the server closed is opened again", "[http][client]") {
  http_limits limits;
  limits.idle_timeout = 50ms;
  const web w(limits);
  const auto client = w.client();
  for (int i = 0; i < 3; ++i) {
    CHECK(client->request("POST", "/echo", {}, "x").ok());
    std::this_thread::sleep_for(120ms);  // the server's idle time-out is what is tested
  }
}

TEST_CASE("a stream is handed on as it comes, until its reader has enough", "[http][client]") {
  web w;
  const auto client = w.client();
  std::string got;
  const auto end = client->stream(
      "GET", "/stream", {}, {},
      [&](std::string_view bytes) {
        got += bytes;
        return true;
      },
      patience);
  REQUIRE(end.ok());
  CHECK(got == "one\ntwo\nthree\n");

  const auto enough = client->stream(
      "GET", "/watch", {}, {}, [&](std::string_view) { return false; }, patience);
  REQUIRE(enough.ok());
  CHECK(w.done.get());
  CHECK(client->request("GET", "/echo").ok());
}

TEST_CASE("a refused stream comes back as the response", "[http][client]") {
  const web w;
  const auto got = w.client()->stream(
      "GET", "/drop", {}, {}, [](std::string_view) { return true; }, patience);
  REQUIRE(got.ok());
  CHECK(got->status == 500);
  CHECK_THAT(*got->body, Contains("dropped"));
}

TEST_CASE("silence ends in a time-out", "[http][client]") {
  web w;
  const auto client = w.client();
  CHECK(client->request("GET", "/hang", {}, {}, 100ms).err().code == errc::timeout);
  CHECK(client
            ->stream(
                "GET", "/watch", {}, {}, [](std::string_view) { return true; }, 100ms)
            .err()
            .code == errc::timeout);
  CHECK(client->request("GET", "/echo").ok());
}

TEST_CASE("an early refusal is read although the body was not taken", "[http][client]") {
  http_limits limits;
  limits.body_bytes_max = 1000;
  const web w(limits);
  const auto got = w.client()->request("POST", "/echo", {}, std::string(20'000'000, 'x'));
  REQUIRE(got.ok());
  CHECK(got->status == 413);
}

TEST_CASE("a request that could be read as two is not sent", "[http][client]") {
  const web w;
  const auto client = w.client();
  CHECK(client->request("GET", "/a b").err().code == errc::invalid);
  CHECK(client->request("GET", "/a\r\nx: y").err().code == errc::invalid);
  CHECK(client->request("GET", "").err().code == errc::invalid);
  CHECK(client->request("G T", "/").err().code == errc::invalid);
  CHECK(client->request("GET", "/", {{"x", "a\r\nb: c"}}).err().code == errc::invalid);
  CHECK(client->request("GET", "/", {{"x y", "a"}}).err().code == errc::invalid);
}

TEST_CASE("the client's errors say whom and why", "[http][client]") {
  const web w;
  const authority other("other");
  CHECK_THAT(make_http_client(w.at(), other.client_config())->request("GET", "/").err().message,
             Contains("dial " + w.at().text() + ": TLS: server's certificate"));
  tls_config pinned;
  pinned.ca_pin = w.ca.pin();
  CHECK(make_http_client(w.at(), pinned)->request("GET", "/echo").ok());
  CHECK_THAT(make_http_client(w.at(), {})->request("GET", "/").err().message,
             Contains("neither a trusted CA nor a CA pin"));

  const web strict({}, true);
  auto config = strict.client_config();
  config.identity = other.client();
  const auto refused = make_http_client(strict.at(), config)->request("GET", "/echo");
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.err().message, Contains("alert 'unknown CA'"));
}
