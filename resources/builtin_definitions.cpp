#include "resources/internal/builtin_definitions.hpp"

#include <algorithm>
#include <map>

#include "base/assert.hpp"
#include "resources/internal/descriptions.hpp"
#include "resources/internal/published_schema.hpp"
#include "resources/kinds.hpp"

namespace wh {
namespace internal {
namespace {

/// Definitions with their descriptions, parsed for one answer: explain is rare, and they are large.
class described_definitions {
 public:
  const document* find(const std::string& name) {
    if (const auto known = ready_.find(name); known != ready_.end()) return &known->second;
    const auto* packed = find_packed(packed_definitions(), name);
    if (!packed) return nullptr;
    auto& out = ready_[name] = parse_packed(packed->json);
    if (const auto* texts = find_packed(packed_descriptions(), name)) {
      const auto paths = parse_packed(texts->json);
      for (const auto& [path, text] : paths.items()) describe(out, path, text.get<std::string>());
    }
    return &out;
  }

 private:
  std::map<std::string, document, std::less<>> ready_;
};

std::string public_name(const std::string& definition) {
  const auto* packed = find_packed(packed_names(), definition);
  return packed ? std::string(packed->json) : std::string();
}

document published(const document& reference, bool referring, described_definitions& definitions) {
  schema_sources from;
  from.definition = [&](const std::string& name) { return definitions.find(name); };
  if (referring) from.public_name = public_name;
  return published_schema(reference, from);
}

/// What CRDs say with extensions of their own, Kubernetes' definitions say in OpenAPI's words.
void use_plain_words(document& definition, const std::string& wire) {
  const document number = {{"type", "number"}}, integer = {{"type", "integer"}}, text = {{"type", "string"}};
  if (wire == "quantity") {
    definition.erase("format");
    definition["oneOf"] = {text, number};
  } else if (wire == "int-or-string") {
    definition["format"] = wire;
    definition["oneOf"] = {integer, text};
  }
  if (!wire.empty()) {
    definition.erase("x-kubernetes-int-or-string");
    definition.erase("x-kubernetes-preserve-unknown-fields");
  }
}

}  // namespace

document parse_packed(std::string_view json) {
  auto doc = document::parse(json.begin(), json.end(), nullptr, false);
  WH_ASSERT(doc.is_object());
  return doc;
}

const packed_text* find_packed(const std::vector<packed_text>& all, std::string_view name) {
  const auto it =
      std::lower_bound(all.begin(), all.end(), name, [](const auto& p, const auto& n) { return p.name < n; });
  return it == all.end() || it->name != name ? nullptr : &*it;
}

document published_builtin(const document& reference, bool referring) {
  described_definitions definitions;
  return published(reference, referring, definitions);
}

}  // namespace internal

document builtin_definition(std::string_view name) {
  const auto& names = internal::packed_names();
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.json == name; });
  if (found == names.end()) return nullptr;
  internal::described_definitions definitions;
  const std::string definition(found->name);
  auto out = internal::published({{"$ref", definition}}, true, definitions);
  internal::use_plain_words(out, definitions.find(definition)->value("x-wire", ""));
  return out;
}

}  // namespace wh
