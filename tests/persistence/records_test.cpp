#include "persistence/records.hpp"

#include "base/random.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::storage;

TEST_CASE("version keys sort by object as object_key does, and newest first within one", "[persistence][records]") {
  rng r(5);
  const std::vector<std::string> parts{"a", "a-1", "a.b", "ab", "b"};
  for (int i = 0; i < 500; ++i) {
    const auto part = [&] { return parts[r.below(parts.size())]; };
    const object_key x{part(), r.chance(0.3) ? "" : part(), part()};
    const object_key y{part(), r.chance(0.3) ? "" : part(), part()};
    const revision rx{r.below(1000)};
    const revision ry{r.below(1000)};
    const bool before = x == y ? rx > ry : x < y;
    REQUIRE((version_key(object_prefix(x), rx) < version_key(object_prefix(y), ry)) == before);
  }
}

TEST_CASE("a version key tells its object and revision", "[persistence][records]") {
  const object_key key{"nodes", "", "n1"};
  const std::string bytes = version_key(object_prefix(key), revision{77});
  const auto parsed = parse_version_key(bytes);
  REQUIRE(parsed);
  REQUIRE(parsed->object.to_key() == key);
  REQUIRE(parsed->rev == revision{77});
}

TEST_CASE("bytes that are no version key are recognised", "[persistence][records]") {
  REQUIRE_FALSE(parse_version_key(""));
  REQUIRE_FALSE(parse_version_key("12345678"));
  REQUIRE_FALSE(parse_version_key(std::string("a\0b\0", 4) + "12345678"));
  REQUIRE_FALSE(parse_version_key(std::string("a\0b\0c", 5) + "12345678"));
}

TEST_CASE("a record survives its round trip and notices every changed bit", "[persistence][records]") {
  rng r(9);
  for (std::size_t size : {0U, 1U, 7U, 8U, 9U, 100U}) {
    const std::string prefix = object_prefix({"configmaps", "default", "a"});
    const std::string body(size, 'x');
    std::string bytes(record_header_bytes + prefix.size() + size, '\0');
    write_record(bytes.data(), flag_terminating, prefix, body);
    const auto parsed = parse_record(bytes);
    REQUIRE(parsed.ok());
    REQUIRE(parsed->flags == flag_terminating);
    REQUIRE(parsed->prefix == prefix);
    REQUIRE(parsed->body == body);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      REQUIRE(parse_record(damaged).err().code == errc::corrupt);
    }
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) REQUIRE_FALSE(parse_record(bytes.substr(0, cut)).ok());
  }
}

TEST_CASE("the store's state survives its round trip", "[persistence][records]") {
  const stored_state s{1, 2, 3, 4};
  const auto parsed = parse_state(encode_state(s));
  REQUIRE(parsed);
  REQUIRE(parsed->current == 1);
  REQUIRE(parsed->reserved == 2);
  REQUIRE(parsed->compacted == 3);
  REQUIRE(parsed->history == 4);
  REQUIRE_FALSE(parse_state("short"));
}
