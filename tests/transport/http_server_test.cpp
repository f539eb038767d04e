#include <catch2/catch.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "http_fixtures.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

TEST_CASE("a request is answered and the connection kept", "[http]") {
  const web w;
  raw_tls client(w.at(), w.client_config());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send("POST /echo?a=b HTTP/1.1\r\nHost: h\r\nX-Test: v\r\nContent-Length: 4\r\n\r\nbody"));
    const auto text = client.read_until("body");
    CHECK_THAT(text, Contains("HTTP/1.1 200 OK\r\n") && Contains("content-length: ") && Contains("POST /echo?a=b\n") &&
                         Contains("x-test=v"));
    CHECK_THAT(text, !Contains("connection:"));
  }
}

TEST_CASE("pipelined requests are answered in their order", "[http]") {
  const web w;
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "GET /echo?n=" + std::to_string(i) + "& HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto text = w.talk(requests + "GET /echo?last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(count(text, "HTTP/1.1 200 OK") == 51);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    const auto next = text.find("n=" + std::to_string(i) + "&", at);
    REQUIRE(next != std::string::npos);
    at = next;
  }
  CHECK_THAT(text, Contains("connection: close"));
}

TEST_CASE("a client that pipelines more than is kept for it is slowed down, not cut off", "[http]") {
  web w;
  std::string requests = "GET /hang HTTP/1.1\r\nHost: h\r\n\r\n";
  for (int i = 0; i < 3000; ++i)
    requests += "GET /echo HTTP/1.1\r\nHost: h\r\nX-Fill: " + std::string(100, 'f') + "\r\n\r\n";
  requests += "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  std::string text;
  std::thread client([&] { text = w.talk(requests); });
  const auto held = w.held.get();
  REQUIRE(held);
  (*held)->send({.status = 200, .headers = {}, .body = nullptr});
  client.join();
  CHECK(count(text, "HTTP/1.1 200 OK") == 3002);
}

TEST_CASE("a stream comes in chunks", "[http]") {
  const web w;
  const auto text = w.talk("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK_THAT(text, Contains("transfer-encoding: chunked\r\n"));
  CHECK_THAT(text, Contains("\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n6\r\nthree\n\r\n0\r\n\r\n"));
}

TEST_CASE("HEAD gets the header alone", "[http]") {
  const web w;
  auto text = w.talk("HEAD /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(text.substr(text.find("\r\n\r\n")) == "\r\n\r\n");
  CHECK_THAT(text, !Contains("content-length: 0\r\n"));
  text = w.talk("HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(text.substr(text.find("\r\n\r\n")) == "\r\n\r\n");
}

TEST_CASE("HTTP/1.0 clients are served", "[http]") {
  const web w;
  CHECK_THAT(w.talk("GET /echo HTTP/1.0\r\n\r\n"), Contains("connection: close") && Contains("GET /echo"));
  const auto stream = w.talk("GET /stream HTTP/1.0\r\n\r\n");
  CHECK_THAT(stream, !Contains("chunked"));
  CHECK_THAT(stream, Contains("\r\n\r\none\ntwo\nthree\n"));
}

TEST_CASE("a body is asked for before it is sent", "[http]") {
  const web w;
  raw_tls client(w.at(), w.client_config());
  REQUIRE(client.send(
      "PUT /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"));
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(client.send("body"));
  CHECK_THAT(client.read_to_end(), Contains("200 OK") && Contains("body"));
}

TEST_CASE("the client's certificate reaches the handler", "[http]") {
  const web w({}, true);
  auto config = w.client_config();
  config.identity = w.ca.client("admin", {"system:masters"});
  CHECK_THAT(*make_http_client(w.at(), config)->request("GET", "/echo")->body, Contains("user=admin\n"));
  CHECK_THAT(*w.client()->request("GET", "/echo")->body, Contains("user=\n"));
}

TEST_CASE("an answer that is dropped, thrown at or cut short does not leave its client waiting", "[http]") {
  web w;
  CHECK(w.client()->request("GET", "/drop")->status == 500);
  CHECK_THAT(*w.client()->request("GET", "/throw")->body, Contains("the request was dropped"));
  std::string text;
  std::thread client([&] { text = w.talk("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n"); });
  REQUIRE(w.watch.get());
  w.watch.set(nullptr);  // the last reference goes
  client.join();
  CHECK_THAT(text, !Contains("0\r\n\r\n"));
  CHECK(w.done.get());
}

TEST_CASE("values cannot end the header they stand in", "[http]") {
  event_loop loop(1);
  const authority ca;
  const auto server = std::move(*listen_https(
      loop, {"127.0.0.1", 0}, ca.server_config(false), {},
      [](const http_request&, const std::shared_ptr<http_exchange>& answer) {
        answer->send(
            {.status = 200, .headers = {{"x-a", "b\r\nx-evil: 1"}, {"content-length", "999"}}, .body = share("ok")});
      },
      nullptr));
  const auto got = make_http_client(server->local(), ca.client_config())->request("GET", "/");
  REQUIRE(got.ok());
  CHECK_FALSE(got->headers.contains("x-evil"));
  CHECK(got->headers.at("content-length") == "2");
}

TEST_CASE("a watch tells when its client has gone", "[http]") {
  web w;
  {
    raw_tls client(w.at(), w.client_config());
    REQUIRE(client.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n"));
    REQUIRE_THAT(client.read_until("begin"), Contains("begin"));
    CHECK((*w.watch.get())->alive());
  }
  REQUIRE(w.done.get());
  const auto watch = *w.watch.get();
  CHECK_FALSE(watch->alive());
  awaited<bool> at_once;
  watch->on_done([&] { at_once.set(true); });
  CHECK(at_once.times() == 1);
  watch->write_chunk(share("nobody"));
  watch->end();
}

TEST_CASE("draining ends streams in good order, finishes answers and accepts nobody", "[http]") {
  web w;
  std::string stream;
  std::thread watcher([&] { stream = w.talk("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n"); });
  std::string slow;
  std::thread waiting([&] { slow = w.talk("GET /hang HTTP/1.1\r\nHost: h\r\n\r\n"); });
  raw_tls idle(w.at(), w.client_config());
  REQUIRE(w.watch.get());
  REQUIRE(w.held.get());
  std::thread drainer([&] { w.server->drain(patience); });
  CHECK(idle.read_to_end().empty());
  watcher.join();
  CHECK_THAT(stream, Contains("begin\n\r\n0\r\n\r\n"));
  (*w.held.get())->send({.status = 200, .headers = {}, .body = share("finished")});
  waiting.join();
  CHECK_THAT(slow, Contains("finished"));
  drainer.join();
  CHECK_THAT(w.client()->request("GET", "/echo").err().message, Contains("connection refused"));
}

TEST_CASE("draining does not wait for ever", "[http]") {
  web w;
  std::string slow;
  std::thread waiting([&] { slow = w.talk("GET /hang HTTP/1.1\r\nHost: h\r\n\r\n"); });
  REQUIRE(w.held.get());
  w.server->drain(50ms);
  waiting.join();
  CHECK(slow.empty());
}

TEST_CASE("rotation changes what new HTTPS connections see", "[http]") {
  const web w;
  const auto kept = w.client();
  REQUIRE(kept->request("GET", "/echo").ok());
  const authority renewed("renewed");
  w.server->set_tls({});
  CHECK(w.client()->request("GET", "/echo").ok());
  w.server->set_tls(renewed.server_config(false));
  CHECK_FALSE(w.client()->request("GET", "/echo").ok());
  CHECK(make_http_client(w.at(), renewed.client_config())->request("GET", "/echo").ok());
  CHECK(kept->request("GET", "/echo").ok());
}

TEST_CASE("a server may go while requests are under way", "[http]") {
  web w;
  std::string text;
  std::thread client([&] { text = w.talk("GET /hang HTTP/1.1\r\nHost: h\r\n\r\n"); });
  const auto held = *w.held.get();
  w.server.reset();
  held->send({.status = 200, .headers = {}, .body = share("late")});
  client.join();
}

TEST_CASE("a loop may stop under a watch whose callbacks hold it", "[http]") {
  std::weak_ptr<http_exchange> watched;
  {
    web w;
    raw_tls client(w.at(), w.client_config());
    REQUIRE(client.send("GET /watch HTTP/1.1\r\nHost: h\r\n\r\n"));
    auto watch = *w.watch.get();
    watch->on_done([watch] {});
    watched = watch;
    w.loop.stop();
    watch->write_chunk(share("nobody"));
  }
  CHECK(watched.expired());
}

TEST_CASE("curl is served", "[http]") {
  if (std::system("curl --version >/dev/null 2>&1") != 0) return;
  const web w;
  const auto file = std::filesystem::temp_directory_path() / ("wh-ca-" + std::to_string(w.at().port) + ".pem");
  std::ofstream(file) << w.ca.ca.cert_pem;
  const auto curl = [&](const std::string& arguments) {
    const std::string command = "curl -sS --max-time 20 --cacert " + file.string() + " " + arguments + " 2>&1";
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string out;
    std::array<char, 4096> buffer{};
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get())) out.append(buffer.data(), n);
    return out;
  };
  const std::string url = "https://" + w.at().text();
  CHECK_THAT(curl("-w '%{http_version}' " + url + "/echo?q"), Contains("GET /echo?q") && Contains("1.1"));
  CHECK(curl(url + "/stream") == "one\ntwo\nthree\n");
  CHECK_THAT(curl("-X POST -H 'Transfer-Encoding: chunked' -d hello " + url + "/echo"), Contains("hello"));
  CHECK(curl("-o /dev/null -w '%{size_download}' " + url + "/large") == "8388608");
  CHECK_THAT(curl("-I " + url + "/echo"), Contains("200 OK"));
  CHECK(count(curl("-v " + url + "/echo " + url + "/echo"), "SSL connection using") == 1);
  CHECK_THAT(curl("--tls-max 1.2 " + url + "/echo"), Contains("GET /echo"));
  std::filesystem::remove(file);
}
