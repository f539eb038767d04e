#include "resources/schema.hpp"

#include "resources/internal/schema_compiler.hpp"

namespace wh {
namespace {

bool is_own_extension(const std::string& key) {
  return key == "x-protobuf" || key == "x-protobuf-inline" || key == "x-wire" || key == "x-default-rule" ||
         key == "x-immutable" || key == "x-allow-duplicates" || key == "x-keep-zero";
}

}  // namespace

namespace internal {
namespace {

document published(const document& source, const schema_compiler::find_definition& find, int depth);

void publish_members(document& out, const document& members, const schema_compiler::find_definition& find, int depth) {
  for (const auto& [name, member] : members.items()) out[name] = published(member, find, depth);
}

void publish_inlined(document& out, const document& inlined, const schema_compiler::find_definition& find, int depth) {
  for (const auto& [name, number] : inlined.items()) {
    const auto part = published({{"$ref", name}}, find, depth);
    const auto properties = part.value("properties", document::object());
    for (const auto& [key, member] : properties.items()) {
      if (!out["properties"].contains(key)) out["properties"][key] = member;
    }
  }
}

/// Copies a schema document as clients may see it. Built-in definitions were compiled before, so they end.
document published(const document& source, const schema_compiler::find_definition& find, int depth) {
  if (!source.is_object() || depth > 100) return source;
  document out = document::object();
  if (const auto ref = source.find("$ref"); ref != source.end() && ref->is_string() && find) {
    if (const auto* target = find(ref->get<std::string>())) out = published(*target, find, depth + 1);
  }
  for (const auto& [key, value] : source.items()) {
    if (key == "$ref" || is_own_extension(key)) continue;
    if (key == "properties" && value.is_object()) {
      publish_members(out["properties"], value, find, depth + 1);
    } else if (key == "items" || key == "additionalProperties" || key == "not") {
      out[key] = published(value, find, depth + 1);
    } else {
      out[key] = value;
    }
  }
  if (const auto inlined = source.find("x-protobuf-inline"); inlined != source.end()) {
    publish_inlined(out, *inlined, find, depth + 1);
  }
  return out;
}

}  // namespace

document published_schema(const document& source, const schema_compiler::find_definition& definitions) {
  return published(source, definitions, 0);
}

std::shared_ptr<const schema> schema_access::make(schema::node::ptr root, std::function<document()> openapi,
                                                  schema::wording words) {
  auto out = std::make_shared<schema>();
  out->root_ = std::move(root);
  out->words_ = words;
  out->make_openapi_ = std::move(openapi);
  return out;
}

}  // namespace internal

result<std::shared_ptr<const schema>> schema::compile(const document& openapi) {
  internal::schema_compiler compiler({});
  auto root = compiler.compile(openapi);
  if (!root) return root.err();
  const bool is_object = (*root)->type == node::value_type::object;
  return internal::schema_access::make(is_object ? internal::as_resource(**root) : *root,
                                       [openapi] { return openapi; });
}

std::shared_ptr<const schema> schema::anything() {
  static const auto all = [] {
    auto root = std::make_shared<node>();
    root->preserve_unknown = true;
    return internal::schema_access::make(root, [] {
      return document{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    });
  }();
  return all;
}

const document& schema::openapi() const {
  std::call_once(openapi_once_, [this] { openapi_ = make_openapi_(); });
  return openapi_;
}

}  // namespace wh
