#include "apiserver/gzip.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>

using namespace wh;

namespace {

std::string gunzip(const std::string& packed, std::size_t size) {
  std::string out(size, '\0');
  std::string in = packed;
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.total_out == size);
  inflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("what is compressed is the same text afterwards", "[apiserver][gzip]") {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += R"({"kind":"ManagedCluster","name":"c)" + std::to_string(i) + "\"}";
  const auto packed = gzip(text);
  REQUIRE(packed);
  CHECK(packed->size() < text.size() / 4);
  CHECK(gunzip(*packed, text.size()) == text);
  CHECK(gunzip(*gzip(""), 0).empty());
}

TEST_CASE("who accepts gzip", "[apiserver][gzip]") {
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip;q=0.5", "*", "br;q=1, *;q=0.1", " gzip ;q=1.0", "gzip, *;q=0"})
    CHECK(accepts_gzip(yes));
  for (const char* no : {"", "identity", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *", "gzi", "x-gzip2", ",,;"})
    CHECK_FALSE(accepts_gzip(no));
}
