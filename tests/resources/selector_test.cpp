#include "resources/selector.hpp"

#include <catch2/catch.hpp>

#include "resources/cluster_name.hpp"
#include "resources/cluster_set.hpp"

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

TEST_CASE("a selector object selects as its text does, of a document or of labels alone", "[selector]") {
  const auto matches_object = [](const char* json) {
    INFO(json);
    const auto selector = read_selector_object(*parse_json(json));
    REQUIRE(selector.ok());
    CHECK(selector->matches(object) == selector->matches(label_map_of(object)));
    return selector->matches(object);
  };
  for (const char* yes :
       {"{}", R"({"matchLabels": {}})", R"({"matchLabels": {"app": "web", "empty": ""}})",
        R"({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]})",
        R"({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]})",
        R"({"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["api"]}]})",
        R"({"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "x", "operator": "DoesNotExist"}]})"})
    CHECK(matches_object(yes));
  for (const char* no :
       {R"({"matchLabels": {"app": "api"}})", R"({"matchLabels": {"gone": ""}})",
        R"({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]})"})
    CHECK_FALSE(matches_object(no));
}

TEST_CASE("a selector object that Kubernetes refuses is refused", "[selector]") {
  const auto [json, says] = GENERATE(table<const char*, const char*>({
      {R"({"matchExpressions": [{"key": "a", "operator": "Near"}]})", "matchExpressions[0]: \"Near\" is not a valid"},
      {R"({"matchExpressions": [{"key": "a"}]})", "is not a valid label selector operator"},
      {R"({"matchExpressions": [{"key": "a", "operator": "In"}]})", "values must be given when the operator is In"},
      {R"({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]})", "values must not be given"},
      {R"({"matchExpressions": [{"key": "a b", "operator": "Exists"}]})", "key \"a b\""},
      {R"({"matchExpressions": [{"key": "a", "operator": "In", "values": ["-"]}]})", "value \"-\""},
      {R"({"matchLabels": {"a": "b c"}})", "matchLabels: value \"b c\""},
      {R"({"matchLabels": {"/": "b"}})", "matchLabels: key \"/\""},
  }));
  const auto selector = read_selector_object(*parse_json(json));
  REQUIRE_FALSE(selector.ok());
  CHECK_THAT(selector.err().message, Catch::Contains(says));
}

TEST_CASE("a set's selector is exclusive unless it says otherwise", "[selector]") {
  const auto selector = read_cluster_set_selector({{"metadata", {{"name", "dev"}}}});
  REQUIRE(selector.ok());
  CHECK(selector->matches({{cluster_set_label, "dev"}}));
  CHECK_FALSE(selector->matches({{cluster_set_label, "prod"}}));
  CHECK_FALSE(selector->matches({}));
  CHECK_FALSE(read_cluster_set_selector({{"spec", {{"clusterSelector", {{"selectorType", "Other"}}}}}}).ok());
}

TEST_CASE("a cluster's name is a namespace's name and none of the hub's own", "[selector]") {
  for (const char* good : {"c", "c1", "1c", "a-b", "kubernetes", "defaults"}) CHECK(cluster_name_problem(good).empty());
  for (const char* bad : {"", "A", "a.b", "a_b", "-a", "a-", "a:b", "default", "kube-system", "kube-",
                          "managed-clusters", "registration", "work", "cluster", "addon"})
    CHECK_FALSE(cluster_name_problem(bad).empty());
  CHECK(cluster_name_problem(std::string(63, 'a')).empty());
  CHECK_FALSE(cluster_name_problem(std::string(64, 'a')).empty());
}
