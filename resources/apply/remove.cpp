#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

/// What is left of a value; nullopt if nothing is.
std::optional<document> rest_of(const document& value, const field_set& paths, const place& at, emptied what);

/// One part of a map or list.
std::optional<document> rest_of_part(const document& value, const path_element& e, const field_set& paths,
                                     const place& at, emptied what) {
  if (paths.has_member(e)) return std::nullopt;
  const auto* below = paths.below(e);
  if (!below) return value;
  auto rest = rest_of(value, *below, at, what);
  if (!rest && what == emptied::stay) rest = document();
  return rest;
}

std::optional<document> rest_of(const document& value, const field_set& paths, const place& at, emptied what) {
  const auto shape = at.shape_of(value);
  if (shape == place::shape::leaf || value.empty()) return value;
  document out = shape == place::shape::map ? document::object() : document::array();
  if (shape == place::shape::map) {
    for (const auto& [name, member] : value.items())
      if (auto rest = rest_of_part(member, path_element::field(name), paths, at.member(name), what))
        out[name] = std::move(*rest);
  } else {
    for (const auto& item : value) {
      const auto e = at.element_of(item);
      auto rest = e ? rest_of_part(item, *e, paths, at.item(), what) : item;
      if (rest) out.push_back(std::move(*rest));
    }
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace

document remove_fields(const document& doc, const field_set& paths, const place& at, emptied what) {
  auto rest = rest_of(doc, paths, at, what);
  return rest ? std::move(*rest) : document::object();
}

}  // namespace wh::apply
