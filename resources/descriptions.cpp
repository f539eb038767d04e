#include "resources/internal/descriptions.hpp"

namespace wh::internal {
namespace {

/// The schema that lists members: beneath a list its items', beneath a map its values'.
document* with_members(document* at) {
  while (at && at->is_object() && !at->contains("properties")) {
    const auto inner = at->contains("items") ? at->find("items") : at->find("additionalProperties");
    at = inner == at->end() ? nullptr : &*inner;
  }
  return at && at->is_object() ? at : nullptr;
}

document* member(document* at, const std::string& name) {
  auto* const object = with_members(at);
  if (!object) return nullptr;
  auto& members = (*object)["properties"];
  const auto found = members.find(name);
  return found == members.end() || !found->is_object() ? nullptr : &*found;
}

}  // namespace

bool describe(document& definition, std::string_view path, const std::string& text) {
  auto* at = &definition;
  while (at && path != ".") {
    const auto dot = path.find('.');
    at = member(at, std::string(path.substr(0, dot)));
    path = dot == std::string_view::npos ? "." : path.substr(dot + 1);
  }
  if (!at) return false;
  (*at)["description"] = text;
  return true;
}

}  // namespace wh::internal
