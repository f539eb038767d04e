#include <catch2/catch.hpp>

#include "transport/http_request_reader.hpp"
#include "transport/http_response_reader.hpp"

using namespace wh;
using outcome = http_request_reader::outcome;

namespace {

/// The status that a request is refused with; 0 if it is complete, -1 if more is needed.
int verdict(std::string_view bytes, std::size_t header_max = 1024, std::size_t body_max = 64) {
  http_request_reader reader(header_max, body_max);
  reader.append(bytes);
  switch (reader.advance()) {
    case outcome::complete: return 0;
    case outcome::need_more: return -1;
    default: return reader.refusal().status;
  }
}

std::string post(const std::string& headers, const std::string& body) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

}  // namespace

TEST_CASE("a request is read whatever pieces it comes in", "[http][reader]") {
  const std::string bytes = post("Content-Length: 5\r\nX-A:  1 \r\nx-a: 2\r\n", "hello");
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    http_request_reader reader(1024, 64);
    outcome got = outcome::need_more;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      REQUIRE(got == outcome::need_more);
      reader.append(std::string_view(bytes).substr(at, step));
      got = reader.advance();
    }
    REQUIRE(got == outcome::complete);
    CHECK(reader.keep_alive());
    const auto request = reader.take();
    CHECK(request.method == "POST");
    CHECK(request.target == "/x");
    CHECK(request.headers.at("x-a") == "1, 2");
    CHECK(request.body == "hello");
    CHECK_FALSE(reader.begun());
  }
}

TEST_CASE("groups to act as stay apart, and one user is enough", "[http][reader]") {
  http_request_reader reader(1024, 64);
  reader.append(post("Impersonate-User: u\r\nImpersonate-Group: a, b\r\nimpersonate-group: c\r\n", ""));
  REQUIRE(reader.advance() == outcome::complete);
  CHECK(reader.take().headers.at("impersonate-group") == "a, b\nc");
  CHECK(verdict(post("Impersonate-User: u\r\nImpersonate-User: v\r\n", "")) == 400);
  CHECK(verdict(post("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "")) == 400);
}

TEST_CASE("a chunked body is joined, extensions and trailers are ignored", "[http][reader]") {
  const std::string bytes =
      post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Evil: 1\r\nHost: other\r\n\r\n");
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    http_request_reader reader(1024, 64);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.append(std::string_view(bytes).substr(at, step));
      REQUIRE(reader.advance() != outcome::refused);
    }
    REQUIRE(reader.advance() == outcome::complete);
    const auto request = reader.take();
    CHECK(request.body == "abcde");
    CHECK_FALSE(request.headers.contains("x-evil"));
    CHECK(request.headers.at("host") == "h");
  }
}

TEST_CASE("an empty chunked body is complete whatever pieces it comes in", "[http][reader]") {
  for (const std::string last : {"0\r\n\r\n", "00;x\r\n\r\n", "0\r\nT: 1\r\n\r\n"}) {
    const std::string request = post("Transfer-Encoding: chunked\r\n", last);
    const std::string response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + last;
    for (std::size_t step = 1; step <= request.size(); ++step) {
      http_request_reader reader(1024, 64);
      outcome got = outcome::need_more;
      for (std::size_t at = 0; at < request.size(); at += step) {
        REQUIRE(got == outcome::need_more);
        reader.append(std::string_view(request).substr(at, step));
        got = reader.advance();
      }
      REQUIRE(got == outcome::complete);
      http_response_reader answer(false);
      for (std::size_t at = 0; at < response.size(); at += step) {
        REQUIRE_FALSE(answer.complete());
        REQUIRE(answer.append(std::string_view(response).substr(at, step)).ok());
      }
      CHECK(answer.complete());
    }
  }
}

TEST_CASE("requests that follow each other are read one by one", "[http][reader]") {
  http_request_reader reader(1024, 64);
  reader.append("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n" + post("Content-Length: 2\r\n", "ab") +
                "\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\nGET");
  REQUIRE(reader.advance() == outcome::complete);
  CHECK(reader.take().target == "/1");
  REQUIRE(reader.advance() == outcome::complete);
  CHECK(reader.take().body == "ab");
  REQUIRE(reader.advance() == outcome::complete);
  CHECK(reader.take().target == "/3");
  CHECK(reader.advance() == outcome::need_more);
  CHECK(reader.begun());
}

TEST_CASE("what is ambiguous about where a request ends is refused", "[http][reader][smuggling]") {
  CHECK(verdict(post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")) == 400);
  CHECK(verdict(post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")) == 400);
  CHECK(verdict(post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length: 3, 3\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length: +3\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length: -3\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length: 0x3\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length: 99999999999999999999999\r\n", "abc")) == 400);
  CHECK(verdict(post("Content-Length:\r\n", "abc")) == 400);
  CHECK(verdict(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")) == 501);
  CHECK(verdict(post("Transfer-Encoding: identity\r\n", "")) == 501);
  CHECK(verdict(post("Transfer-Encoding: chunked, identity\r\n", "")) == 501);
  CHECK(verdict(post("Transfer-Encoding: xchunked\r\n", "")) == 501);
  CHECK(verdict(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "")) == 400);
  CHECK(verdict(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")) == 400);
  CHECK(verdict(post("Transfer-Encoding:\x0b chunked\r\n", "0\r\n\r\n")) == 400);
  CHECK(verdict(post("X: a\r\n Transfer-Encoding: chunked\r\n", "")) == 400);
  CHECK(verdict(post("X: a\r\n\tb\r\n", "")) == 400);
  CHECK(verdict(post("X: a\nTransfer-Encoding: chunked\r\n", "")) == 400);
  CHECK(verdict(post("X: a\rTransfer-Encoding: chunked\r\n", "")) == 400);
  CHECK(verdict(post(std::string("X: a\0b\r\n", 8), "")) == 400);
  CHECK(verdict("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
}

TEST_CASE("bad chunks are refused", "[http][reader][smuggling]") {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(verdict(post(chunked, "zz\r\nabc\r\n")) == 400);
  CHECK(verdict(post(chunked, "-1\r\nabc\r\n")) == 400);
  CHECK(verdict(post(chunked, "0x3\r\nabc\r\n0\r\n\r\n")) == 400);
  CHECK(verdict(post(chunked, "ffffffffffffffffff\r\nabc\r\n")) == 400);
  CHECK(verdict(post(chunked, "3\r\nabcd\r\n0\r\n\r\n")) == 400);
  CHECK(verdict(post(chunked, "3\nabc\r\n0\r\n\r\n")) != 0);
  CHECK(verdict(post(chunked, "fffffff\r\nabc\r\n")) == 413);
  CHECK(verdict(post(chunked, "3;" + std::string(20000, 'x'))) == 400);
}

TEST_CASE("limits have their statuses", "[http][reader]") {
  CHECK(verdict("GET /" + std::string(2000, 'x')) == 431);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n") == 431);
  CHECK(verdict(post("Content-Length: 65\r\n", "")) == 413);
  CHECK(verdict(post("Content-Length: 64\r\n", std::string(64, 'x'))) == 0);
  CHECK(verdict(post("Transfer-Encoding: chunked\r\n",
                     "20\r\n" + std::string(32, 'x') + "\r\n21\r\n" + std::string(33, 'x'))) == 413);
}

TEST_CASE("malformed requests are refused", "[http][reader]") {
  CHECK(verdict("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(verdict("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(verdict("GET / HTTP/0.9\r\nHost: a\r\n\r\n") == 505);
  CHECK(verdict("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(verdict("GET /\r\n\r\n") == 400);
  CHECK(verdict("GE\x01T / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(verdict("\x80\x81\r\n\r\n") == 400);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n") == 400);
  CHECK(verdict(post("Expect: magic\r\n", "")) == 417);
  CHECK(verdict("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(verdict("") == -1);
  CHECK(verdict("\r\n") == -1);
}

TEST_CASE("a waiting client is told to go on, once, and only if it waits", "[http][reader]") {
  http_request_reader reader(1024, 64);
  reader.append(post("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
  REQUIRE(reader.advance() == outcome::need_more);
  CHECK(reader.take_continue());
  CHECK_FALSE(reader.take_continue());
  reader.append("abc");
  REQUIRE(reader.advance() == outcome::complete);
  CHECK(reader.take().body == "abc");

  http_request_reader eager(1024, 64);
  eager.append(post("Expect: 100-continue\r\nContent-Length: 3\r\n", "a"));
  REQUIRE(eager.advance() == outcome::need_more);
  CHECK_FALSE(eager.take_continue());
}

TEST_CASE("responses are read in any pieces", "[http][reader]") {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    http_response_reader reader(false);
    for (std::size_t at = 0; at < bytes.size(); at += step)
      REQUIRE(reader.append(std::string_view(bytes).substr(at, step)).ok());
    REQUIRE(reader.complete());
    CHECK(reader.keep_alive());
    const auto response = reader.take();
    CHECK(response.status == 200);
    CHECK(response.headers.at("x-a") == "1");
    CHECK(*response.body == "abcde");
  }
}

TEST_CASE("a response cut off is an error, one that ends with the connection is not", "[http][reader]") {
  http_response_reader cut(false);
  REQUIRE(cut.append("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").ok());
  CHECK_FALSE(cut.end_of_input().ok());
  http_response_reader chunked(false);
  REQUIRE(chunked.append("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").ok());
  CHECK_FALSE(chunked.end_of_input().ok());
  http_response_reader open(false);
  REQUIRE(open.append("HTTP/1.1 200 OK\r\n\r\nabc").ok());
  CHECK_FALSE(open.complete());
  CHECK(open.end_of_input().ok());
  CHECK(*open.take().body == "abc");
  http_response_reader nothing(false);
  CHECK_FALSE(nothing.end_of_input().ok());
  http_response_reader junk(false);
  CHECK_FALSE(junk.append("SSH-2.0-OpenSSH\r\n").ok());
}
