#include "base/random.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <set>

using namespace wh;

TEST_CASE("the same seed gives the same numbers on every platform", "[base][random]") {
  rng a(0);
  REQUIRE(a.next() == 0x99ec5f36cb75f2b4ULL);
  REQUIRE(a.next() == 0xbf6e1f784956452aULL);
  rng b(42);
  rng c(42);
  for (int i = 0; i < 100; ++i) REQUIRE(b.next() == c.next());
}

TEST_CASE("below stays under its bound and reaches every value", "[base][random]") {
  rng r(7);
  std::array<int, 10> seen{};
  for (int i = 0; i < 10000; ++i) ++seen.at(r.below(10));
  for (int n : seen) {
    REQUIRE(n > 800);
    REQUIRE(n < 1200);
  }
  REQUIRE(r.below(0) == 0);
  REQUIRE(r.below(1) == 0);
}

TEST_CASE("unit is in [0, 1) and chance follows its probability", "[base][random]") {
  rng r(9);
  int hits = 0;
  for (int i = 0; i < 10000; ++i) {
    const double u = r.unit();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    hits += r.chance(0.25) ? 1 : 0;
  }
  REQUIRE(hits > 2200);
  REQUIRE(hits < 2800);
  REQUIRE_FALSE(r.chance(0));
  REQUIRE(r.chance(1));
}

TEST_CASE("a random UUID is of version 4 and in Kubernetes' form", "[base][random]") {
  rng r(3);
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    const std::string u = random_uuid(r);
    REQUIRE(u.size() == 36);
    REQUIRE(u[8] == '-');
    REQUIRE(u[13] == '-');
    REQUIRE(u[18] == '-');
    REQUIRE(u[23] == '-');
    REQUIRE(u[14] == '4');
    REQUIRE(std::string("89ab").find(u[19]) != std::string::npos);
    REQUIRE(u.find_first_not_of("0123456789abcdef-") == std::string::npos);
    all.insert(u);
  }
  REQUIRE(all.size() == 1000);
}

TEST_CASE("a random suffix uses the generateName alphabet", "[base][random]") {
  rng r(5);
  REQUIRE(random_suffix(r, 5).size() == 5);
  REQUIRE(random_suffix(r, 0).empty());
  REQUIRE(random_suffix(r, 500).find_first_of("aeiouy013") == std::string::npos);
}
