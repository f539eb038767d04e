#include "base/encoding.hpp"

#include <catch2/catch.hpp>

#include "base/random.hpp"

using namespace wh;

namespace {

std::string random_bytes(rng& r, std::size_t n) {
  std::string s(n, '\0');
  for (auto& c : s) c = static_cast<char>(r.below(256));
  return s;
}

}  // namespace

TEST_CASE("hex is written in lower case and read in either", "[base][encoding]") {
  REQUIRE(to_hex(std::string_view("\x00\x7f\xff", 3)) == "007fff");
  REQUIRE(*from_hex("007FfF") == std::string("\x00\x7f\xff", 3));
  REQUIRE_FALSE(from_hex("abc").ok());
  REQUIRE(from_hex("0g").err().message.find("position 1") != std::string::npos);
}

TEST_CASE("base64 agrees with the vectors of RFC 4648", "[base][encoding]") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    REQUIRE(to_base64(plain) == coded);
    REQUIRE(*from_base64(coded) == plain);
  }
}

TEST_CASE("base64 that is not canonical is refused", "[base][encoding]") {
  for (const char* text : {"Zg", "Zg=", "Zg==\n", " Zg=", "Zg==Zg==", "Z===", "====", "Zh==", "Zm9=", "Zm-_", "=Zg="}) {
    INFO(text);
    REQUIRE(from_base64(text).err().code == errc::malformed);
  }
}

TEST_CASE("hex, base64 and be64 survive a round trip of random bytes", "[base][encoding]") {
  rng r(21);
  for (std::size_t n = 0; n < 100; ++n) {
    const std::string bytes = random_bytes(r, n);
    REQUIRE(*from_hex(to_hex(bytes)) == bytes);
    REQUIRE(*from_base64(to_base64(bytes)) == bytes);
    const std::uint64_t v = r.next();
    std::string coded;
    append_be64(coded, v);
    REQUIRE(coded.size() == 8);
    REQUIRE(read_be64(coded.data()) == v);
  }
}

TEST_CASE("big-endian numbers sort as their bytes do", "[base][encoding]") {
  std::string small;
  std::string large;
  append_be64(small, 255);
  append_be64(large, 256);
  REQUIRE(small < large);
}

TEST_CASE("fnv1a agrees with its published vectors and can be chained", "[base][encoding]") {
  REQUIRE(fnv1a("") == 0xcbf29ce484222325ULL);
  REQUIRE(fnv1a("a") == 0xaf63dc4c8601ec8cULL);
  REQUIRE(fnv1a("foobar") == 0x85944171f73967e8ULL);
  REQUIRE(fnv1a("bar", fnv1a("foo")) == fnv1a("foobar"));
}

TEST_CASE("UTF-8 is recognised and its malformed relatives are not", "[base][encoding]") {
  for (const char* good :
       {"", "plain", "\xc2\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\xa2", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    INFO(good);
    REQUIRE(is_utf8(good));
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "ok\xc3", "\xe2\x28\xa1"}) {
    REQUIRE_FALSE(is_utf8(bad));
  }
  REQUIRE(is_utf8(std::string_view("a\0b", 3)));
}
