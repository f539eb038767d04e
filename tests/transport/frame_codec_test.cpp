#include "transport/frame_codec.hpp"

#include <catch2/catch.hpp>

#include <vector>

#include "base/random.hpp"

using namespace wh;

TEST_CASE("a stream is cut back into the frames it was made of, wherever it is torn", "[transport][frames]") {
  rng r(3);
  std::string stream;
  std::vector<std::string> payloads;
  for (const std::size_t size : {1, 3, 4, 300, 5}) {
    std::string payload;
    for (std::size_t i = 0; i < size; ++i) payload += static_cast<char>(r.next());
    payloads.push_back(payload);
    stream += std::string{'\0', '\0', static_cast<char>(size >> 8), static_cast<char>(size)} + payload;
  }
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    const std::size_t second = first + (stream.size() - first) / 2;
    frame_reader reader(300);
    std::vector<std::string> got;
    for (auto part : {std::string_view(stream).substr(0, first), std::string_view(stream).substr(first, second - first),
                      std::string_view(stream).substr(second)}) {
      for (auto payload = reader.next(part); payload.value(); payload = reader.next(part))
        got.emplace_back(*payload.value());
      REQUIRE(part.empty());
    }
    REQUIRE(got == payloads);
    REQUIRE(reader.pending() == 0);
  }
}

TEST_CASE("a frame larger than allowed is refused by its length alone", "[transport][frames]") {
  frame_reader reader(300);
  std::string_view too_long("\0\0\x01\x2d", 4);
  CHECK(reader.next(too_long).err().code == errc::too_large);
  std::string_view empty("\0\0\0\0", 4);
  CHECK(frame_reader(300).next(empty).err().code == errc::malformed);
  frame_reader torn(300);
  std::string_view first("\0\0", 2), second("\x01\x2d", 2);
  CHECK_FALSE(torn.next(first).value());
  CHECK(torn.next(second).err().code == errc::too_large);
}
