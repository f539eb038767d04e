#include "story.hpp"

#include <catch2/catch.hpp>

namespace wh::test {

namespace {

constexpr const char* all_sorts = R"(
type: object
properties:
  spec:
    type: object
    properties:
      text: {type: string}
      number: {type: integer}
      struct:
        type: object
        properties: {a: {type: string}, b: {type: string}}
      labels: {type: object, additionalProperties: {type: string}}
      sealed: {type: object, additionalProperties: {type: string}, x-kubernetes-map-type: atomic}
      plain: {type: array, items: {type: string}}
      set: {type: array, items: {type: string}, x-kubernetes-list-type: set}
      numbers: {type: array, items: {type: integer}, x-kubernetes-list-type: set}
      named:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name]
        items:
          type: object
          required: [name]
          properties:
            name: {type: string}
            value: {type: string}
            other: {type: string}
            inner: {type: array, items: {type: string}, x-kubernetes-list-type: set}
      ports:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [port, protocol]
        items:
          type: object
          properties:
            port: {type: integer}
            protocol: {type: string, default: TCP}
            name: {type: string}
      free: {type: object, x-kubernetes-preserve-unknown-fields: true}
  status:
    type: object
    properties: {phase: {type: string}}
)";

}  // namespace

document yaml_of(const std::string& text) {
  auto docs = parse_yaml(text);
  INFO(text);
  REQUIRE(docs);
  REQUIRE(docs->size() == 1);
  return docs->front();
}

story::story(std::shared_ptr<const schema> s) : schema_(std::move(s)), kind_("Thing") {
  scope.structure = schema_.get();
  scope.api_version = "example.io/v1";
  scope.ignored = {"status"};
  scope.now = start_;
}

story::story()
    : story([] {
        static const auto compiled = *schema::compile(yaml_of(all_sorts));
        return compiled;
      }()) {}

story::story(const std::string& kind) : story(schema::anything()) {
  static const auto kinds = [] {
    auto out = std::make_unique<kind_registry>();
    add_builtin_kinds(*out, kind_set::cluster);
    return out;
  }();
  for (const auto& k : kinds->all())
    if (k->kind == kind) {
      schema_ = k->structure;
      scope.api_version = k->api_version();
    }
  scope.structure = schema_.get();
  kind_ = kind;
}

story story::without_schema() { return story(schema::anything()); }

document story::with_head(const std::string& yaml) const {
  auto doc = yaml_of(yaml);
  doc["apiVersion"] = scope.api_version;
  doc["kind"] = kind_;
  doc["metadata"]["name"] = "x";
  return doc;
}

std::string story::apply(const std::string& manager, const std::string& yaml, bool force) {
  scope.now += std::chrono::seconds(1);
  auto out = apply::apply_after_client_side(object, with_head(yaml), owners, manager, force, scope);
  if (!out) return out.err().message;
  if (!out->conflicts.empty()) return apply::message_of(out->conflicts);
  object = std::move(out->object);
  owners = std::move(out->owners);
  // Owners survive being written and read.
  const auto read = apply::parse_managers(apply::managed_fields_of(owners));
  REQUIRE(read);
  REQUIRE(apply::managed_fields_of(*read) == apply::managed_fields_of(owners));
  return "";
}

void story::update(const std::string& manager, const std::string& yaml) {
  scope.now += std::chrono::seconds(1);
  auto next = with_head(yaml);
  owners = apply::track_update(object, next, std::move(owners), manager, scope);
  object = std::move(next);
}

std::string story::owned(const std::string& manager) const {
  for (const auto& [id, o] : owners)
    if (id.manager == manager) return apply::fields_v1_text(o.fields);
  return "";
}

int story::since(const std::string& manager) const {
  for (const auto& [id, o] : owners)
    if (id.manager == manager)
      return static_cast<int>(
          std::chrono::duration_cast<std::chrono::seconds>(*parse_rfc3339(o.time) - start_).count());
  return -1;
}

}  // namespace wh::test
