#include "transport/proxy.hpp"

#include <catch2/catch.hpp>

using namespace wh;
using Catch::Contains;

namespace {

/// A stream of a test: what is sent, and what comes in pieces; an empty piece: nothing yet.
struct script : byte_stream {
  ssize_t send(const char* bytes, std::size_t size) override {
    const auto n = std::min<std::size_t>(size, 7);
    sent.append(bytes, n);
    return static_cast<ssize_t>(n);
  }
  ssize_t receive(char* to, std::size_t size) override {
    if (pieces.empty()) return 0;
    auto piece = pieces.front();
    pieces.erase(pieces.begin());
    if (piece.empty()) {
      errno = EAGAIN;
      return -1;
    }
    REQUIRE(piece.size() <= size);
    piece.copy(to, piece.size());
    return static_cast<ssize_t>(piece.size());
  }
  std::string sent;
  std::vector<std::string> pieces;
};

std::string verdict(const std::string& head) {
  const auto answer = read_connect_answer(head);
  if (answer.is == connect_answer::state::incomplete) return "incomplete";
  return answer.is == connect_answer::state::opened ? "opened" : answer.why.message;
}

}  // namespace

TEST_CASE("proxy URLs are read with their credentials, which are not printed", "[proxy]") {
  const auto plain = parse_proxy_url("http://proxy.example:3128");
  REQUIRE(plain.ok());
  CHECK(plain->at == host_port{"proxy.example", 3128});
  CHECK_FALSE(plain->tls);
  CHECK(plain->credentials.empty());
  const auto full = parse_proxy_url("https://user:p%40ss%3aw/@[2001:db8::1]:8443/");
  REQUIRE(full.ok());
  CHECK(full->tls);
  CHECK(full->at == host_port{"2001:db8::1", 8443});
  CHECK(full->credentials == "user:p@ss:w/");
  CHECK(full->text() == "https://[2001:db8::1]:8443");
  CHECK(parse_proxy_url("http://h")->at.port == 80);
  CHECK(parse_proxy_url("https://[::1]")->at == host_port{"::1", 443});
}

TEST_CASE("what is no proxy URL is refused without quoting a password", "[proxy]") {
  for (const auto* wrong :
       {"", "proxy:3128", "ftp://u:secret@h:1", "socks5://u:secret@h:1", "http://", "http://u:secret@",
        "http://h:1/secret", "http://h:99999", "http://h:0", "http://usersecret@h:1", "http://:secret@h:1",
        "http://u:secret%4@h:1", "http://u:secret%zz@h:1", "http://u:secret%0d%0aX@h:1", "http://h:1?secret"}) {
    INFO(wrong);
    const auto read = parse_proxy_url(wrong);
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.err().message, !Contains("secret"));
  }
}

TEST_CASE("answers of proxies are told apart", "[proxy]") {
  CHECK(verdict("HTTP/1.1 200 Connection established\r\n\r\n") == "opened");
  CHECK(verdict("HTTP/1.0 200\r\nVia: x\r\n\r\n") == "opened");
  CHECK(verdict("HTTP/1.1 204 ok\nVia: x\n\n") == "opened");
  CHECK(verdict("") == "incomplete");
  CHECK(verdict("HTT") == "incomplete");
  CHECK(verdict("HTTP/1.1 200 OK\r\nVia: x\r\n") == "incomplete");
  CHECK_THAT(verdict("HTTP/1.1 407 Who are you\r\n"), Contains("407 'Who are you'") && Contains("--hub-proxy-cred"));
  CHECK_THAT(verdict("HTTP/1.1 403 Forbidden\r\n"), Contains("does not allow a tunnel"));
  CHECK_THAT(verdict("HTTP/1.1 502 Bad \x1b[1m\r\n"), Contains("answers 502 'Bad ?[1m'"));
  CHECK_THAT(verdict("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"), Contains("answers 302"));
  CHECK_THAT(verdict("HTTP/1.1 20x\r\n\r\n"), Contains("no HTTP proxy is there"));
  CHECK_THAT(verdict("\x15\x03\x01"), Contains("no HTTP proxy is there, it answers '?"));
  CHECK_THAT(verdict("SSH-2.0-x\r\n"), Contains("'SSH-2.0-x'"));
  CHECK_THAT(verdict("HTTP/1.1 200 OK\r\n\r\nmore"), Contains("more than its answer"));
  CHECK_THAT(verdict("HTTP/1.1 200 " + std::string(20000, 'x')), Contains("longer than 16 KiB"));
  CHECK_THAT(verdict("HTTP/1.1 200 OK\r\na: " + std::string(20000, 'x')), Contains("longer than 16 KiB"));
}

TEST_CASE("a tunnel is asked for byte by byte, by name and with credentials", "[proxy]") {
  proxy_config proxy;
  proxy.credentials = "Aladdin:open sesame";
  connect_exchange ask(proxy, {"2001:db8::5", 6444});
  script stream;
  stream.pieces = {"", "HTTP/1.1 2", "00 OK\r\n", "", "\r\n"};
  CHECK(ask.step(stream) == io_status::want_read);
  CHECK(stream.sent ==
        "CONNECT [2001:db8::5]:6444 HTTP/1.1\r\nHost: [2001:db8::5]:6444\r\n"
        "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  CHECK(ask.step(stream) == io_status::want_read);
  CHECK(ask.step(stream) == io_status::done);

  connect_exchange again({}, {"hub", 1});
  script silent;
  CHECK(again.step(silent) == io_status::failed);
  CHECK_THAT(again.failure().message, Contains("without an answer"));
}
