#include "resources/schema.hpp"

#include "resources/internal/schema_compiler.hpp"

namespace wh {
namespace internal {
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
  // As text: a document takes some ten times the memory, and is seldom asked for.
  auto text = openapi.dump(-1, ' ', false, document::error_handler_t::replace);
  return internal::schema_access::make(is_object ? internal::as_resource(**root) : *root,
                                       [text = std::move(text)] { return document::parse(text); });
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

}  // namespace wh
