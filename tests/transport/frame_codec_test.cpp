#include "transport/frame_codec.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "base/random.hpp"

using namespace wh;

namespace {

/// The payloads of a stream that comes in two parts, and the error that ended it.
struct cutting {
  std::vector<std::string> payloads;
  std::optional<errc> end;
  friend bool operator==(const cutting&, const cutting&) = default;
};

cutting cut(std::string_view stream, std::size_t tear) {
  frame_reader reader(frame_bytes_max);
  cutting out;
  for (auto part : {stream.substr(0, tear), stream.substr(tear)}) {
    for (;;) {
      const auto payload = reader.next(part);
      if (!payload) {
        out.end = payload.err().code;
        return out;
      }
      if (!*payload) break;
      out.payloads.emplace_back(**payload);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a stream with any byte changed is cut alike wherever it is torn", "[transport][frames]") {
  const auto stream = framed(frame_to_hub(hello{1, "s", "c1", "a1", ""})).value() +
                      framed(frame_to_hub(ping{7})).value() + framed(frame_to_hub(work_finished{"w", "u"})).value();
  REQUIRE(cut(stream, 0).payloads.size() == 3);
  for (std::size_t at = 0; at < stream.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      auto damaged = stream;
      damaged[at] = static_cast<char>(value);
      const auto whole = cut(damaged, 0);
      std::size_t bytes = 0;
      for (const auto& payload : whole.payloads) bytes += frame_prefix_bytes + payload.size();
      if (bytes > damaged.size()) FAIL_CHECK("more came out than went in: byte " << at << " is " << value);
      if (!(cut(damaged, at) == whole) || !(cut(damaged, at + 1) == whole))
        FAIL_CHECK("a torn stream is cut otherwise: byte " << at << " is " << value);
    }
  }
}

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
