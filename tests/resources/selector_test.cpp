#include "resources/selector.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

const document object = {
    {"metadata",
     {{"name", "web"}, {"namespace", "shop"}, {"labels", {{"app", "web"}, {"tier", "front"}, {"empty", ""}}}}},
    {"status", {{"phase", "Running"}, {"n", 3}}}};

bool matches(const char* text) {
  const auto selector = parse_label_selector(text);
  INFO(text);
  REQUIRE(selector.ok());
  return selector->matches(object);
}

bool field_matches(const char* text) {
  const auto selector = parse_field_selector(text);
  INFO(text);
  REQUIRE(selector.ok());
  return selector->matches(object);
}

}  // namespace

TEST_CASE("label selectors match as Kubernetes' do", "[selector]") {
  for (const char* yes : {"", " ", "app=web", "app==web", "app = web , tier != back", "app in (web, api)",
                          "tier notin (back)", "app", "!gone", "gone!=x", "gone notin (x)", "empty=", "empty in ()",
                          "empty in (,x)", "example.com/x!=1", "app in (web),tier"}) {
    CHECK(matches(yes));
  }
  for (const char* no : {"app=api", "app!=web", "gone", "!app", "gone=x", "app notin (web)", "app=", "tier in (a,b)",
                         "app=web,tier=back"}) {
    CHECK_FALSE(matches(no));
  }
}

TEST_CASE("broken label selectors are refused", "[selector]") {
  for (const char* bad : {"=", "a=b,", ",a", "a b", "a in b", "a in (b", "a in (b c)", "!", "!a=b", "a=b=c", "a/b/c",
                          "-x=1", "a=b!", "a>1", "(a)", "a=!b", "a=-x", "a,,b", "a in (b))"}) {
    INFO(bad);
    CHECK_FALSE(parse_label_selector(bad).ok());
  }
}

TEST_CASE("a selector without requirements matches objects without labels", "[selector]") {
  CHECK(parse_label_selector("")->matches(document::object()));
  CHECK(parse_label_selector("!x")->matches(document::object()));
  CHECK_FALSE(parse_label_selector("x")->matches(document::object()));
}

TEST_CASE("field selectors compare dotted paths as text", "[selector]") {
  CHECK(field_matches("metadata.name=web,metadata.namespace!=other"));
  CHECK(field_matches("status.phase==Running"));
  CHECK(field_matches("status.n=3"));
  CHECK(field_matches("spec.nodeName="));
  CHECK_FALSE(field_matches("status.phase!=Running"));
  CHECK_FALSE(field_matches("metadata.name=web,status.phase=Failed"));
}

TEST_CASE("a field selector knows the one name it asks for", "[selector]") {
  CHECK(parse_field_selector("metadata.name=web")->name() == "web");
  CHECK(parse_field_selector("metadata.name!=web")->name().empty());
  CHECK(parse_field_selector("")->empty());
}

TEST_CASE("field selector values may escape what separates", "[selector]") {
  const auto selector = parse_field_selector(R"(metadata.name=a\,b\=c\\d)");
  REQUIRE(selector.ok());
  CHECK(selector->requirements.at(0).value == R"(a,b=c\d)");
  CHECK_FALSE(parse_field_selector(R"(metadata.name=a\x)").ok());
  CHECK_FALSE(parse_field_selector("metadata.name").ok());
  CHECK_FALSE(parse_field_selector("=x").ok());
  CHECK_FALSE(parse_field_selector("!=x").ok());
  CHECK_FALSE(parse_field_selector("a=b=c").ok());
}
