#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

using node = schema::node;

bool is_map(const node* n) {
  return !n || n->type == node::value_type::object ||
         (n->type == node::value_type::any && n->map != node::map_type::atomic);
}

bool is_list(const node* n) { return n && n->type == node::value_type::array && n->list != node::list_type::atomic; }

/// A key field that an item leaves out, if it has a default.
const document* default_of(const node* item, const std::string& name) {
  const auto* field = item ? item->find_property(name) : nullptr;
  return field && field->default_value ? &*field->default_value : nullptr;
}

result<path_element> key_of(const node& list, const document& item) {
  if (!item.is_object())
    return fail(errc::invalid, item.is_null() ? "associative list with keys may not have a null element"
                                              : "associative list with keys may not have non-map elements");
  document fields = document::object();
  for (const auto& name : list.map_keys) {
    if (const auto it = item.find(name); it != item.end()) fields[name] = *it;
    else if (const auto* value = default_of(list.items.get(), name)) fields[name] = *value;
  }
  if (!fields.empty()) return path_element::key(std::move(fields));
  std::string keys;
  for (const auto& name : list.map_keys) keys += (keys.empty() ? "\"" : " \"") + name + "\"";
  return fail(errc::invalid, "associative list with keys has an element that omits all key fields [" + keys +
                                 "] (and doesn't have default values for any key fields)");
}

}  // namespace

place::shape place::shape_of(const document& value) const {
  if (value.is_object() && is_map(node) && !atomic()) return shape::map;
  if (value.is_array() && is_list(node)) return shape::list;
  return shape::leaf;
}

bool place::atomic() const {
  if (!node) return false;
  if (node->type == node::value_type::array) return node->list == node::list_type::atomic;
  return node->map == node::map_type::atomic;
}

place place::member(std::string_view name) const { return {node ? node->member(name) : nullptr}; }
place place::item() const { return {node ? node->items.get() : nullptr}; }
place place::at(const path_element& e) const {
  return e.kind == path_element::kind_type::field ? member(e.name) : item();
}

bool place::named(std::string_view name) const { return node && node->find_property(name); }

bool place::allows(std::string_view name) const {
  return !node || node->type != node::value_type::object || node->preserve_unknown || node->member(name);
}

result<path_element> place::element_of(const document& item) const {
  if (node->list == node::list_type::map && !node->map_keys.empty()) return key_of(*node, item);
  if (item.is_null())
    return fail(errc::invalid, "associative list without keys has an element that's an explicit null");
  return path_element::item(item);
}

}  // namespace wh::apply
