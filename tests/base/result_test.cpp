#include "base/result.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <set>

using namespace wh;

TEST_CASE("a result holds its value or its error", "[base][result]") {
  const result<int> good = 7;
  const result<int> bad = fail(errc::conflict, "changed meanwhile");
  REQUIRE(good.ok());
  REQUIRE(*good == 7);
  REQUIRE_FALSE(bad.ok());
  REQUIRE(bad.err() == error{errc::conflict, "changed meanwhile"});
  REQUIRE(good != bad);
}

TEST_CASE("a result gives its value away by move", "[base][result]") {
  result<std::unique_ptr<int>> r = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = *std::move(r);
  REQUIRE(*taken == 3);
}

TEST_CASE("a result without a value is a success unless it holds an error", "[base][result]") {
  REQUIRE(result<void>{}.ok());
  const result<void> bad = fail(errc::io, "no such device");
  REQUIRE_FALSE(bad);
  REQUIRE(bad.err().code == errc::io);
}

TEST_CASE("every error code has a name of its own, and an unknown code is named too", "[base][result]") {
  std::set<std::string_view> names;
  for (std::uint16_t code = 1; code <= 18; ++code) names.insert(to_string(static_cast<errc>(code)));
  REQUIRE(names.size() == 18);
  REQUIRE(names.count("unknown") == 0);
  REQUIRE(to_string(static_cast<errc>(999)) == "unknown");
}

TEST_CASE("only failures that a retry can cure are transient", "[base][result]") {
  REQUIRE(retry_of(errc::busy) == retry_class::transient);
  REQUIRE(retry_of(errc::timeout) == retry_class::uncertain);
  REQUIRE(retry_of(errc::invalid) == retry_class::permanent);
}
