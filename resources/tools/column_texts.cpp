#include "resources/tools/column_texts.hpp"

#include <vector>

#include "resources/internal/descriptions.hpp"

namespace wh {
namespace {

/// The members that a path such as `.spec.containers[*].name` names.
std::vector<std::string> members_of(const std::string& path) {
  std::vector<std::string> out;
  bool in_brackets = false;
  for (const char c : path) {
    if (c == '.') out.emplace_back();
    else if (c == '[' || c == ']') in_brackets = c == '[';
    else if (!in_brackets && !out.empty()) out.back() += c;
  }
  return out;
}

document described(const described_definitions& all, const std::string& name) {
  const auto found = all.definitions.find(name);
  if (found == all.definitions.end()) return document::object();
  auto out = document::parse(found->second);
  const auto known = all.descriptions.find(name);
  const auto texts = known == all.descriptions.end() ? document::object() : document::parse(known->second);
  for (const auto& [path, text] : texts.items()) internal::describe(out, path, text.get<std::string>());
  return out;
}

/// What stands at a place: its reference's definition, and in a list or map the items' or values'.
document opened(document at, const described_definitions& all) {
  while (!at.contains("properties")) {
    document inner;
    if (at.contains("$ref")) inner = described(all, at["$ref"].get<std::string>());
    else if (at.contains("items")) inner = at["items"];
    else if (at.contains("additionalProperties")) inner = at["additionalProperties"];
    if (!inner.is_object()) break;
    at = std::move(inner);
  }
  return at;
}

/// The text of the deepest field on the way that has one: a map's entries are told by the map.
std::string text_at(const std::string& path, document at, const described_definitions& all) {
  std::string out;
  for (const auto& name : members_of(path)) {
    at = opened(std::move(at), all);
    if (!at.contains("properties") || !at["properties"].contains(name)) break;
    at = document(at["properties"][name]);
    out = at.value("description", at.contains("$ref") ? described(all, at["$ref"]).value("description", "") : "");
  }
  return out;
}

}  // namespace

std::string describe_columns(document& kind, const described_definitions& all, const document& computed) {
  const auto own = kind.find("schema");
  const document root = own == kind.end() ? document{{"$ref", kind.value("kind", "")}} : *own;
  if (!kind.contains("columns")) return "";
  for (auto& column : kind["columns"]) {
    const auto path = column.value("path", "");
    if (column.contains("description") || path.find("[?") != std::string::npos) continue;
    const bool is_computed = path.starts_with("@");
    const auto text = is_computed ? computed.value(path.substr(1), "") : text_at(path, root, all);
    if (text.empty() && is_computed) return path;
    if (!text.empty()) column["description"] = text;
  }
  return "";
}

}  // namespace wh
