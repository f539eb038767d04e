#include <catch2/catch.hpp>

#include "apiserver/negotiate.hpp"
#include "apiserver/path.hpp"

using namespace wh;

TEST_CASE("targets are decoded and hostile ones refused", "[apiserver]") {
  struct row {
    const char* why;
    const char* target;
    int code;  ///< 0: accepted
    std::vector<std::string> segments;
  };
  const row rows[] = {
      {"plain path", "/api/v1/namespaces/x", 0, {"api", "v1", "namespaces", "x"}},
      {"the root", "/", 0, {}},
      {"one trailing slash is forgiven", "/apis/", 0, {"apis"}},
      {"escapes are decoded once", "/api/v1/a%2541", 0, {"api", "v1", "a%41"}},
      {"a colon may be escaped", "/api/v1/system%3Anode", 0, {"api", "v1", "system:node"}},
      {"plus is plus in a path", "/a+b", 0, {"a+b"}},
      {"a fragment is cut off", "/api#x", 0, {"api"}},
      {"empty segments name nothing", "/api//v1", 404, {}},
      {"dot segments are refused", "/api/../secrets", 400, {}},
      {"escaped dot segments too", "/api/%2e%2e/x", 400, {}},
      {"an escaped slash cannot make a segment", "/api/v1/a%2fb", 400, {}},
      {"NUL", "/api/v1/a%00", 400, {}},
      {"broken escape", "/api/v1/a%zz", 400, {}},
      {"cut-off escape", "/api/v1/a%4", 400, {}},
      {"not UTF-8", "/api/v1/%ff", 400, {}},
      {"no path", "api/v1", 400, {}},
      {"empty target", "", 400, {}},
      {"broken escape in the query", "/api?x=%g1", 400, {}},
  };
  for (const auto& r : rows) {
    INFO(r.why << ": " << r.target);
    auto t = parse_target(r.target);
    CHECK((t.ok() ? 0 : t.err().code) == r.code);
    if (t) CHECK(t->segments == r.segments);
  }
}

TEST_CASE("query parameters are decoded and the first one wins", "[apiserver]") {
  auto t = parse_target("/x?labelSelector=a%3Db%2Cc+in+(d)&limit=5&limit=6&watch");
  REQUIRE(t);
  CHECK(t->param("labelSelector") == "a=b,c in (d)");
  CHECK(t->param("limit") == "5");
  CHECK(*bool_param(*t, "watch"));
  CHECK_FALSE(*bool_param(*t, "allowWatchBookmarks"));
}

TEST_CASE("resource paths follow Kubernetes' URL scheme", "[apiserver]") {
  struct row {
    const char* target;
    resource_path want;
  };
  const row rows[] = {
      {"/api/v1/configmaps", {"", "v1", "", "configmaps", "", ""}},
      {"/api/v1/namespaces", {"", "v1", "", "namespaces", "", ""}},
      {"/api/v1/namespaces/a", {"", "v1", "", "namespaces", "a", ""}},
      {"/api/v1/namespaces/a/status", {"", "v1", "", "namespaces", "a", "status"}},
      {"/api/v1/namespaces/a/finalize", {"", "v1", "", "namespaces", "a", "finalize"}},
      {"/api/v1/namespaces/a/secrets", {"", "v1", "a", "secrets", "", ""}},
      {"/api/v1/namespaces/a/secrets/s", {"", "v1", "a", "secrets", "s", ""}},
      {"/apis/g.io/v1/things/x/status", {"g.io", "v1", "", "things", "x", "status"}},
      {"/apis/g.io/v1/namespaces/a/things/x/status", {"g.io", "v1", "a", "things", "x", "status"}},
      {"/apis/g.io/v1", {"g.io", "v1", "", "", "", ""}},
  };
  for (const auto& r : rows) {
    INFO(r.target);
    auto p = parse_resource_path(parse_target(r.target)->segments);
    REQUIRE(p);
    CHECK(p->group == r.want.group);
    CHECK(p->version == r.want.version);
    CHECK(p->ns == r.want.ns);
    CHECK(p->resource == r.want.resource);
    CHECK(p->name == r.want.name);
    CHECK(p->subresource == r.want.subresource);
  }
  CHECK_FALSE(parse_resource_path(parse_target("/version")->segments));
  CHECK_FALSE(parse_resource_path(parse_target("/apis/g.io/v1/a/b/c/d")->segments));
}

TEST_CASE("the Accept header chooses the form of the answer", "[apiserver]") {
  using shape = output_form::shape_kind;
  struct row {
    const char* why;
    const char* accept;
    int code;
    shape want;
    bool yaml;
  };
  const row rows[] = {
      {"nothing said", "", 0, shape::object, false},
      {"anything", "*/*", 0, shape::object, false},
      {"kubectl get",
       "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
       0, shape::table, false},
      {"metadata informer",
       "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
       0, shape::partial, false},
      {"typed client with a fallback", "application/vnd.kubernetes.protobuf,application/json", 0, shape::object, false},
      {"protobuf only", "application/vnd.kubernetes.protobuf", 406, shape::object, false},
      {"CBOR only", "application/cbor", 406, shape::object, false},
      {"an unknown shape is passed over", "application/json;as=Thing;v=v1;g=meta.k8s.io,application/json", 0,
       shape::object, false},
      {"an unknown shape alone", "application/json;as=Thing;v=v1;g=meta.k8s.io", 406, shape::object, false},
      {"YAML", "application/yaml", 0, shape::object, true},
      {"quality decides", "application/yaml;q=0.1, application/json", 0, shape::object, false},
      {"quality 0 is a refusal", "application/json;q=0", 406, shape::object, false},
  };
  for (const auto& r : rows) {
    INFO(r.why);
    auto f = negotiate(r.accept, "");
    CHECK((f.ok() ? 0 : f.err().code) == r.code);
    if (!f) continue;
    CHECK(f->shape == r.want);
    CHECK(f->yaml == r.yaml);
  }
  CHECK(negotiate("", "Everything").err().code == 400);
  CHECK(negotiate("", "Object")->include_object == "Object");
}

TEST_CASE("content types name the body's format", "[apiserver]") {
  CHECK(*format_of("application/json; charset=utf-8") == body_format::json);
  CHECK(*format_of("") == body_format::json);
  CHECK(*format_of("application/merge-patch+json") == body_format::merge_patch);
  CHECK(*format_of("application/vnd.kubernetes.protobuf") == body_format::protobuf);
  CHECK(format_of("application/cbor").err().code == 415);
  CHECK(format_of(";;;;").err().code == 415);
  CHECK(format_of("text/plain").err().reason == "UnsupportedMediaType");
}
