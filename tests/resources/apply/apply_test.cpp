// Server-side apply by stories: who writes what, what the object is then, who owns what.
#include <algorithm>
#include <catch2/catch.hpp>

#include "story.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const document& spec_of(const story& s) { return s.object.at("spec"); }

}  // namespace

TEST_CASE("an apply to nothing makes the object and owns what it says", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {text: t, struct: {a: x}, labels: {k: v}}") == "");
  CHECK(spec_of(s) == yaml_of("{text: t, struct: {a: x}, labels: {k: v}}"));
  CHECK(s.owned("a") == R"({"f:spec":{"f:labels":{"f:k":{}},"f:struct":{"f:a":{}},"f:text":{}}})");
  const auto entries = apply::managed_fields_of(s.owners);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0] == document{{"apiVersion", "example.io/v1"},
                               {"fieldsType", "FieldsV1"},
                               {"fieldsV1", document::parse(s.owned("a"))},
                               {"manager", "a"},
                               {"operation", "Apply"},
                               {"time", "2026-01-02T03:04:06Z"}});
}

TEST_CASE("a field that another manager owns with another value is a conflict", "[apply]") {
  struct row {
    const char* convention;
    const char* first;
    const char* second;
    const char* message;
  };
  const row rows[] = {
      {"one field", "spec: {text: t}", "spec: {text: u}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.text"},
      {"several fields", "spec: {text: t, number: 1}", "spec: {text: u, number: 2}",
       "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.number\n- .spec.text"},
      {"a field of a list's item", "spec: {named: [{name: n, value: v}]}", "spec: {named: [{name: n, value: w}]}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.named[name=\"n\"].value"},
      {"an item under two keys", "spec: {ports: [{port: 1, name: x}]}", "spec: {ports: [{port: 1, name: y}]}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.ports[port=1,protocol=\"TCP\"].name"},
      {"an atomic list", "spec: {plain: [a]}", "spec: {plain: [a, b]}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.plain"},
      {"an atomic map", "spec: {sealed: {a: b}}", "spec: {sealed: {c: d}}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.sealed"},
      {"a label", "spec: {labels: {k: v}}", "spec: {labels: {k: w}}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.labels.k"},
      {"no label of another's", "spec: {labels: {k: v}}", "spec: {labels: {l: v}}", ""},
      {"a value on which both agree", "spec: {text: t, plain: [a]}", "spec: {text: t, plain: [a]}", ""},
      {"another item", "spec: {named: [{name: n}], set: [a]}", "spec: {named: [{name: m}], set: [b]}", ""},
      {"another protocol", "spec: {ports: [{port: 1, name: x}]}", "spec: {ports: [{port: 1, protocol: UDP, name: y}]}",
       ""},
      {"null instead of a value", "spec: {text: t}", "spec: {text: null}",
       "Apply failed with 1 conflict: conflict with \"a\": .spec.text"},
  };
  for (const auto& r : rows) {
    INFO(r.convention);
    story s;
    REQUIRE(s.apply("a", r.first) == "");
    const auto before = s.object;
    CHECK(s.apply("b", r.second) == r.message);
    if (*r.message) CHECK(s.object == before);
  }
}

TEST_CASE("conflicts with updates name the version, and the subresource if there is one", "[apply]") {
  story s;
  s.update("u", "spec: {text: t}");
  CHECK(s.apply("a", "spec: {text: x}") ==
        "Apply failed with 1 conflict: conflict with \"u\" using example.io/v1: .spec.text");
  s.scope.subresource = "scale";
  s.update("v", "spec: {text: t, number: 2}");
  s.scope.subresource = "";
  CHECK(s.apply("a", "spec: {number: 3, text: x}") ==
        "Apply failed with 2 conflicts: conflicts with \"u\" using example.io/v1:\n- .spec.text\n"
        "conflicts with \"v\" with subresource \"scale\" using example.io/v1:\n- .spec.number");
}

TEST_CASE("force takes fields over", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {text: t, number: 1}") == "");
  REQUIRE(s.apply("b", "spec: {text: u}", true) == "");
  CHECK(spec_of(s) == yaml_of("{text: u, number: 1}"));
  CHECK(s.owned("a") == R"({"f:spec":{"f:number":{}}})");
  CHECK(s.owned("b") == R"({"f:spec":{"f:text":{}}})");
  REQUIRE(s.apply("b", "spec: {text: u, number: 2}", true) == "");
  CHECK(s.owned("a") == "");
}

TEST_CASE("managers that agree share a field, and it goes with the last of them", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {text: t, number: 1}") == "");
  REQUIRE(s.apply("b", "spec: {text: t}") == "");
  REQUIRE(s.apply("a", "spec: {number: 1}") == "");
  CHECK(spec_of(s) == yaml_of("{text: t, number: 1}"));
  CHECK(s.apply("a", "spec: {number: 1, text: x}") == "Apply failed with 1 conflict: conflict with \"b\": .spec.text");
  REQUIRE(s.apply("b", "spec: {}") == "");
  CHECK(spec_of(s) == yaml_of("{number: 1}"));
}

TEST_CASE("what an applier leaves out goes, unless somebody else owns it", "[apply]") {
  struct row {
    const char* convention;
    const char* applied;
    const char* others;  ///< applied by another; "" for nobody
    const char* then;
    const char* left;
  };
  const row rows[] = {
      {"a field", "spec: {text: t, number: 1}", "", "spec: {number: 1}", "{number: 1}"},
      {"a struct with its only field", "spec: {text: t, struct: {a: x}}", "", "spec: {text: t}", "{text: t}"},
      {"a struct in which another has a field", "spec: {text: t, struct: {a: x}}", "spec: {struct: {b: y}}",
       "spec: {text: t}", "{text: t, struct: {b: y}}"},
      {"a label", "spec: {labels: {a: x, b: y}}", "", "spec: {labels: {a: x}}", "{labels: {a: x}}"},
      {"all labels but another's", "spec: {text: t, labels: {a: x}}", "spec: {labels: {b: y}}", "spec: {text: t}",
       "{text: t, labels: {b: y}}"},
      {"an item", "spec: {named: [{name: a, value: x}, {name: b, value: y}]}", "",
       "spec: {named: [{name: b, value: y}]}", "{named: [{name: b, value: y}]}"},
      {"an item's field", "spec: {named: [{name: a, value: x, other: y}]}", "", "spec: {named: [{name: a, value: x}]}",
       "{named: [{name: a, value: x}]}"},
      {"an item in which another has a field", "spec: {text: t, named: [{name: a, value: x}]}",
       "spec: {named: [{name: a, other: y}]}", "spec: {text: t}", "{text: t, named: [{name: a, other: y}]}"},
      {"a set's item", "spec: {set: [a, b]}", "spec: {set: [b]}", "spec: {set: [a]}", "{set: [a, b]}"},
      {"a set's item that nobody else has", "spec: {set: [a, b]}", "spec: {set: [c]}", "spec: {set: [a]}",
       "{set: [a, c]}"},
      {"an atomic list", "spec: {text: t, plain: [a]}", "", "spec: {text: t}", "{text: t}"},
      {"an atomic map", "spec: {text: t, sealed: {a: b}}", "", "spec: {text: t}", "{text: t}"},
      {"nested lists", "spec: {named: [{name: a, inner: [x, y]}]}", "", "spec: {named: [{name: a, inner: [y]}]}",
       "{named: [{name: a, inner: [y]}]}"},
      {"whatever is in a free object", "spec: {free: {a: {b: 1}, c: [1, 2]}}", "", "spec: {free: {c: [1]}}",
       "{free: {c: [1]}}"},
  };
  for (const auto& r : rows) {
    INFO(r.convention);
    story s;
    REQUIRE(s.apply("a", r.applied) == "");
    if (*r.others) REQUIRE(s.apply("other", r.others) == "");
    REQUIRE(s.apply("a", r.then) == "");
    CHECK(spec_of(s) == yaml_of(r.left));
  }
}

TEST_CASE("what nobody owns stays in a map that somebody claims as such", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {text: t}") == "");
  s.object["spec"]["labels"] = {{"z", "y"}};
  REQUIRE(s.apply("a", "spec: {text: t, labels: null}") == "");
  CHECK(spec_of(s) == yaml_of("{text: t, labels: {z: y}}"));
  REQUIRE(s.apply("a", "spec: {text: t, labels: null}") == "");
  CHECK(spec_of(s) == yaml_of("{text: t, labels: {z: y}}"));
}

TEST_CASE("a map that is applied empty is there, whatever was in it", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {labels: {a: x}, struct: {a: x}, set: [a]}") == "");
  REQUIRE(s.apply("a", "spec: {labels: {}, struct: {}, set: []}") == "");
  CHECK(spec_of(s) == yaml_of("{labels: {}, struct: {}, set: []}"));
}

TEST_CASE("an update's fields stay when an applier leaves them out", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {text: t, number: 1}") == "");
  s.update("u", "spec: {text: t, number: 2}");
  CHECK(s.owned("a") == R"({"f:spec":{"f:text":{}}})");
  REQUIRE(s.apply("a", "spec: {text: t}") == "");
  CHECK(spec_of(s) == yaml_of("{text: t, number: 2}"));
}

TEST_CASE("lists come out in the applier's order, others' items between", "[apply]") {
  struct row {
    const char* live;
    const char* applied;
    const char* merged;
  };
  const row rows[] = {
      {"[a, b, c]", "[c, a]", "[b, c, a]"},
      {"[a, b]", "[c, d]", "[a, b, c, d]"},
      {"[a, b, c]", "[b]", "[a, b, c]"},
      {"[a, b, c, d]", "[b, a]", "[b, c, d, a]"},
      {"[a, b, c]", "[n, b]", "[a, n, b, c]"},
      {"[]", "[b, a]", "[b, a]"},
      {"[1a, 1b, 1c]", "[1c, x, 1b]", "[1a, 1c, x, 1b]"},
  };
  for (const auto& r : rows) {
    INFO(r.live << " and " << r.applied);
    story s;
    s.update("u", std::string("spec: {set: ") + r.live + "}");
    REQUIRE(s.apply("a", std::string("spec: {set: ") + r.applied + "}") == "");
    CHECK(spec_of(s)["set"] == yaml_of(r.merged));
  }
}

TEST_CASE("applying the same again changes nothing but the time", "[apply]") {
  story s;
  s.update("u", "spec: {set: [x, a], named: [{name: n, other: o}]}");
  const auto* config = "spec: {text: t, set: [b, a], named: [{name: m}, {name: n, value: v}], free: {a: {}}}";
  REQUIRE(s.apply("a", config) == "");
  const auto object = s.object;
  const auto owners = apply::managed_fields_of(s.owners);
  REQUIRE(s.apply("a", config) == "");
  CHECK(s.object == object);
  CHECK(apply::managed_fields_of(s.owners) != owners);
  CHECK(apply::same_but_for_times(apply::managed_fields_of(s.owners), owners));
}

TEST_CASE("an object that nobody tracked belongs to before-first-apply", "[apply]") {
  story s;
  s.object = yaml_of(
      "{apiVersion: example.io/v1, kind: Thing, metadata: {name: x, uid: u, labels: {k: v}}, spec: {text: t},"
      " status: {phase: p}}");
  CHECK(s.apply("a", "spec: {text: x}") ==
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using example.io/v1: .spec.text");
  REQUIRE(s.apply("a", "spec: {number: 1}") == "");
  CHECK(s.owned("before-first-apply") ==
        R"({"f:metadata":{"f:labels":{".":{},"f:k":{}}},"f:spec":{".":{},"f:text":{}}})");
}

TEST_CASE("a configuration that does not fit is refused", "[apply]") {
  struct row {
    const char* config;
    const char* message;
  };
  const row rows[] = {
      {"spec: {bogus: 1}", ".spec.bogus: field not declared in schema"},
      {"bogus: 1", ".bogus: field not declared in schema"},
      {"{metadata: {bogus: 1}}", ".metadata.bogus: field not declared in schema"},
      {"spec: {text: 1}", ".spec.text: expected string, got 1"},
      {"spec: {number: one}", ".spec.number: expected numeric (int or float), got \"one\""},
      {"spec: {labels: [a]}", ".spec.labels: expected map, got a list"},
      {"spec: {set: {a: b}}", ".spec.set: expected list, got a map"},
      {"spec: {set: [a, a]}", ".spec.set: duplicate entries for key [=\"a\"]"},
      {"spec: {set: [null]}",
       ".spec.set: element 0: associative list without keys has an element that's an explicit null"},
      {"spec: {named: [{value: v}]}",
       ".spec.named: element 0: associative list with keys has an element that omits all key fields [\"name\"] (and "
       "doesn't have default values for any key fields)"},
      {"spec: {named: [{name: n}, {name: n}]}", ".spec.named: duplicate entries for key [name=\"n\"]"},
      {"spec: {named: [{name: n, bogus: 1}], text: 2}",
       "errors:\n  .spec.named[name=\"n\"].bogus: field not declared in schema\n  .spec.text: expected string, got 2"},
  };
  for (const auto& r : rows) {
    INFO(r.config);
    story s;
    CHECK(s.apply("a", r.config) == r.message);
  }
}

TEST_CASE("without a schema maps merge and lists are one value", "[apply]") {
  auto s = story::without_schema();
  REQUIRE(s.apply("a", "spec: {map: {k: v}, list: [{name: a}]}") == "");
  CHECK(s.owned("a") == R"({"f:spec":{".":{},"f:list":{},"f:map":{".":{},"f:k":{}}}})");
  REQUIRE(s.apply("b", "spec: {map: {l: w}}") == "");
  CHECK(spec_of(s) == yaml_of("{map: {k: v, l: w}, list: [{name: a}]}"));
  CHECK(s.apply("b", "spec: {list: [{name: b}]}") == "Apply failed with 1 conflict: conflict with \"a\": .spec.list");
}

TEST_CASE("status is not owned where it cannot be written", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "{spec: {text: t}, status: {phase: p}}") == "");
  CHECK(s.owned("a") == R"({"f:spec":{"f:text":{}}})");
  s.scope.only = "status";
  s.scope.subresource = "status";
  REQUIRE(s.apply("b", "{spec: {text: t}, status: {phase: q}}") == "");
  CHECK(s.owned("b") == R"({"f:status":{"f:phase":{}}})");
}

TEST_CASE("owners in versions that are no longer served are forgotten", "[apply]") {
  story s;
  s.scope.api_version = "example.io/v1alpha1";
  REQUIRE(s.apply("a", "spec: {text: t}") == "");
  s.scope.api_version = "example.io/v1";
  s.scope.is_served = [](const std::string& v) { return v == "example.io/v1"; };
  CHECK(s.apply("b", "spec: {text: u}") == "");
  CHECK(s.owned("a") == "");
}

TEST_CASE("a list that became atomic is owned as a whole", "[apply]") {
  story s;
  REQUIRE(s.apply("a", "spec: {set: [a, b]}") == "");
  auto& fields = s.owners.begin()->second.fields;
  fields = *apply::parse_fields_v1(document::parse(R"({"f:spec":{"f:plain":{"v:\"a\"":{}}}})"));
  s.object["spec"] = yaml_of("{plain: [a]}");
  CHECK(s.apply("b", "spec: {plain: [b]}") == "Apply failed with 1 conflict: conflict with \"a\": .spec.plain");
}

TEST_CASE("built-in kinds merge by the keys that Kubernetes gives them", "[apply]") {
  story s("Deployment");
  const auto* config = R"(
spec:
  replicas: 1
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}}
    spec:
      containers:
      - name: c
        image: i
        ports: [{containerPort: 80}]
        env: [{name: A, value: "1"}]
        resources: {limits: {cpu: 1, memory: 1Gi}}
)";
  REQUIRE(s.apply("kubectl", config) == "");
  CHECK(
      s.owned("kubectl") ==
      R"({"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{)"
      R"("f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}},)"
      R"("f:image":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}},)"
      R"("f:resources":{"f:limits":{"f:cpu":{},"f:memory":{}}}}}}}}})");
  s.object["spec"]["replicas"] = 3;
  s.owners = apply::track_update(yaml_of(config), s.object, s.owners, "autoscaler", s.scope);
  CHECK(s.apply("kubectl", config) ==
        "Apply failed with 1 conflict: conflict with \"autoscaler\" using apps/v1: .spec.replicas");
}

TEST_CASE("metadata merges by uid and by value", "[apply]") {
  story s("ConfigMap");
  REQUIRE(
      s.apply(
          "a",
          "metadata: {finalizers: [e.io/a], labels: {a: x}, ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: u}]}") ==
      "");
  CHECK(s.owned("a") == R"({"f:metadata":{"f:finalizers":{"v:\"e.io/a\"":{}},"f:labels":{"f:a":{}},)"
                        R"("f:ownerReferences":{"k:{\"uid\":\"u\"}":{}}}})");
  REQUIRE(s.apply("b", "metadata: {finalizers: [e.io/b], labels: {b: y}}") == "");
  CHECK(s.object["metadata"]["finalizers"] == document({"e.io/a", "e.io/b"}));
  REQUIRE(s.apply("a", "{}") == "");
  CHECK(s.object["metadata"] == yaml_of("{name: x, finalizers: [e.io/b], labels: {b: y}}"));
}

TEST_CASE("kubectl takes over what it applied from the client's side", "[apply]") {
  const auto annotated = [](const char* last) {
    return std::string("{metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '") + last +
           "'}}, spec: {text: t, number: 1}}";
  };
  const auto* last = R"({"apiVersion":"example.io/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"text":"t"}})";
  story s;
  s.update("kubectl-client-side-apply", annotated(last));
  CHECK(s.apply("somebody", "spec: {text: u}") ==
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using example.io/v1: .spec.text");
  CHECK(s.apply("kubectl", "spec: {text: u, number: 2}") ==
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using example.io/v1: .spec.number");
  REQUIRE(s.apply("kubectl", "spec: {text: u}") == "");
  CHECK(spec_of(s)["text"] == "u");
  CHECK(
      annotation_of(s.object, "kubectl.kubernetes.io/last-applied-configuration") ==
      "{\"apiVersion\":\"example.io/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"text\":\"u\"}}\n");
}

TEST_CASE("large lists in any order are applied in reasonable time", "[apply]") {
  story s;
  document names = document::array();
  for (int i = 20'000; i > 0; --i) names.push_back("n" + std::to_string(i));
  REQUIRE(s.apply("a", document{{"spec", {{"set", names}}}}.dump()) == "");
  std::reverse(names.begin(), names.end());
  REQUIRE(s.apply("b", document{{"spec", {{"set", names}}}}.dump()) == "");
  CHECK(spec_of(s)["set"].size() == 20'000);
  REQUIRE(s.apply("b", "spec: {}") == "");
  REQUIRE(s.apply("a", "spec: {}") == "");
  CHECK(spec_of(s).empty());
}

TEST_CASE("the managers of an object are bounded", "[apply]") {
  story s;
  s.update("u", "spec: {text: t}");
  const auto any = *apply::parse_fields_v1(document::parse(R"({"f:spec":{"f:text":{}}})"));
  for (std::size_t i = 0; s.owners.size() < apply::managers_max; ++i)
    s.owners[{"m" + std::to_string(i), apply::manager_id::operation_type::apply, "", ""}] = {any, "example.io/v1", ""};
  CHECK(s.apply("one-more", "spec: {text: t}") == "more than 500 managers own fields of the object");
  CHECK(s.apply("m1", "spec: {text: t}") == "");
}
