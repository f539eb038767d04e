#include "resources/internal/pattern.hpp"

#include <catch2/catch.hpp>

using wh::internal::pattern;

namespace {

bool found(std::string_view expression, std::string_view text) {
  const auto compiled = pattern::compile(expression);
  INFO(expression);
  REQUIRE(compiled.ok());
  return compiled->search(text);
}

}  // namespace

TEST_CASE("patterns are searched for, not anchored", "[pattern]") {
  CHECK(found("b+", "abbbc"));
  CHECK(found("", ""));
  CHECK_FALSE(found("^b", "ab"));
  CHECK(found("^ab$", "ab"));
  CHECK_FALSE(found("^ab$", "ab\n"));
  CHECK(found("a|bc|d$", "xxbcx"));
}

TEST_CASE("classes, repeats and groups mean what they mean in Go", "[pattern]") {
  CHECK(found("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name-1"));
  CHECK_FALSE(found("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "-my"));
  CHECK(found(R"(^\d{3}-\d{2,}$)", "123-4567"));
  CHECK_FALSE(found(R"(^\d{3}-\d{2,4}$)", "123-45678"));
  CHECK(found(R"(^(?:ab){2}$)", "abab"));
  CHECK(found(R"(^(?P<x>ab)?$)", ""));
  CHECK(found(R"(^[^\s/]+$)", "a_b"));
  CHECK_FALSE(found(R"(^[^\s/]+$)", "a/b"));
  CHECK(found(R"(^[[:alpha:]_]+$)", "aB_"));
  CHECK(found(R"(^[]a-]+$)", "]-a"));
  CHECK(found(R"(\bfoo\b)", "a foo b"));
  CHECK_FALSE(found(R"(\bfoo\b)", "afoob"));
  CHECK(found(R"(^a{,2}$)", "a{,2}"));
  CHECK(found(R"(^\x41\x{e9}$)", "A\xc3\xa9"));
}

TEST_CASE("flags hold to the end of their group", "[pattern]") {
  CHECK(found("(?i)^abc$", "aBC"));
  CHECK(found("(?i:a)b", "Ab"));
  CHECK_FALSE(found("(?i:a)b", "AB"));
  CHECK(found("(?s)a.b", "a\nb"));
  CHECK_FALSE(found("a.b", "a\nb"));
  CHECK(found("(?m)^b$", "a\nb\nc"));
  CHECK_FALSE(found("(?i)^[^a]$", "A"));
}

TEST_CASE("characters are code points", "[pattern]") {
  CHECK(found("^.$", "\xc3\xa9"));
  CHECK(found("^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9"));
  CHECK_FALSE(found("^..$", "\xf0\x9f\x98\x80"));
}

TEST_CASE("expressions that would run for ages elsewhere finish at once", "[pattern]") {
  const std::string text(5000, 'a');
  CHECK_FALSE(found("^(a+)+$", text + "!"));
  CHECK_FALSE(found("^(a|aa)*b$", text));
  CHECK_FALSE(found("^(a*)*b$", text));
}

TEST_CASE("wrong or boundless expressions are refused", "[pattern]") {
  for (const char* bad : {"(",
                          ")",
                          "a)",
                          "[a",
                          "[z-a]",
                          "*",
                          "+a",
                          "a**",
                          "a{2}{3}",
                          "a{1001}",
                          "a{3,2}",
                          "(?=a)",
                          "(?<=a)b",
                          R"(\1)",
                          R"(\p{L})",
                          "\\",
                          "[[:nope:]]",
                          "(?z)",
                          R"(\x{110000})",
                          "((a{1000}){1000}){1000}"}) {
    INFO(bad);
    CHECK_FALSE(pattern::compile(bad).ok());
  }
  CHECK_FALSE(pattern::compile(std::string(10'000, '(')).ok());
}
