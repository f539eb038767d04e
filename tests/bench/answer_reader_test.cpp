#include "bench/api/answer_reader.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace wh;
using namespace wh::bench;

namespace {

/// What came, as text: `200[body]`.
struct collector final : answer_sink {
  explicit collector(const answer_reader& r) : reader(r) {}
  void on_head() override { text += std::to_string(reader.status()) + "["; }
  void on_body(std::string_view piece) override { text += piece; }
  void on_answer_end() override { text += "]"; }
  const answer_reader& reader;
  std::string text;
};

std::string read(const std::string& bytes, std::size_t piece) {
  answer_reader reader;
  collector to(reader);
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    if (!reader.append(std::string_view(bytes).substr(at, piece), to)) return to.text + "!";
  return to.text;
}

}  // namespace

TEST_CASE("the benchmark's client cuts answers out of any pieces", "[bench]") {
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  const std::string empty = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
  const std::string chunked =
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
  const auto all = sized + empty + chunked + chunked + sized;
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    INFO(piece);
    CHECK(read(all, piece) == "200[hello]204[]404[abc0123456789]404[abc0123456789]200[hello]");
  }
}

TEST_CASE("the benchmark's client says so when a server speaks something else", "[bench]") {
  CHECK(read("SSH-2.0-OpenSSH\r\n\r\n", 4) == "!");
  CHECK(read("HTTP/1.1 200 OK\r\n\r\n", 100) == "!");
  CHECK(read("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 100) == "200[!");
}
