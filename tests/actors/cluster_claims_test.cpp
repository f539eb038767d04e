#include "actors/spoke/cluster_claims.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

using namespace wh;

TEST_CASE("of 21 custom claims 20 are kept, by name; reserved ones do not count", "[claims]") {
  std::map<std::string, std::string> all = {{"id.k8s.io", "1"}, {"product.open-cluster-management.io", "Other"}};
  for (int i = 0; i < 21; ++i) all[fmt::format("custom-{:02}", i)] = "v";
  const auto chosen = choose_claims(all, {});
  CHECK(chosen.claims.size() == 22);
  CHECK(chosen.dropped == 1);
  CHECK(chosen.claims.contains("id.k8s.io"));
  CHECK(chosen.claims.contains("custom-19"));
  CHECK_FALSE(chosen.claims.contains("custom-20"));
}

TEST_CASE("suffixes make further names reserved", "[claims]") {
  const std::map<std::string, std::string> all = {
      {"a.example.org", "1"}, {"b.example.org", "1"}, {"c", "1"}, {"d", "1"}};
  const auto chosen = choose_claims(all, {.reserved_suffixes = {".example.org"}, .custom_max = 1});
  CHECK(chosen.claims ==
        std::map<std::string, std::string>{{"a.example.org", "1"}, {"b.example.org", "1"}, {"c", "1"}});
  CHECK(chosen.dropped == 1);
  CHECK(choose_claims(all, {.reserved_suffixes = {""}, .custom_max = 0}).claims.empty());
}

TEST_CASE("claims with an empty or too long value are named and left out", "[claims]") {
  const auto chosen = choose_claims(
      {{"a", ""}, {"b", std::string(1025, 'x')}, {"c", std::string(1024, 'x')}, {std::string(254, 'n'), "v"}}, {});
  CHECK(chosen.claims.size() == 1);
  CHECK(chosen.dropped == 0);
  CHECK(chosen.unsound.size() == 3);
}

TEST_CASE("more claims than a frame holds are never chosen", "[claims]") {
  std::map<std::string, std::string> all;
  for (int i = 0; i < 1500; ++i) all[fmt::format("c{}.example.org", i)] = "v";
  const auto chosen = choose_claims(all, {.reserved_suffixes = {".example.org"}, .custom_max = 20});
  CHECK(chosen.claims.size() == claims_max);
  CHECK(chosen.dropped == 500);
}
