#include "apiserver/strategic_merge.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace wh {

namespace {

/// Values that live elsewhere, found by what they are: lists of hundreds of thousands of entries are walked once.
struct by_value {
  bool operator()(const document* a, const document* b) const { return *a < *b; }
};
using value_set = std::set<const document*, by_value>;
using value_places = std::map<const document*, std::vector<std::size_t>, by_value>;

using node = schema::node;

const document nothing = document::array();

constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";
constexpr std::string_view order_prefix = "$setElementOrder/";

/// How one list merges. No key and not primitive: it is replaced.
struct list_rule {
  std::string key;
  bool primitive = false;
  const node* items = nullptr;
};

/// Lists of metadata, which schemas do not describe.
list_rule metadata_rule(const std::string& field) {
  if (field == "ownerReferences") return {"uid", false, nullptr};
  if (field == "finalizers") return {"", true, nullptr};
  return {};
}

list_rule rule_of(const node* n) {
  if (!n) return {};
  list_rule out;
  out.items = n->items.get();
  // Such patches know one key. Kubernetes' own kinds merge by the first of several; elsewhere that would mix up items.
  const bool by_first_key = n->map_keys.size() == 1 || (n->items && !n->items->wire_fields.empty());
  if (n->list == node::list_type::map && by_first_key && !n->map_keys.empty()) out.key = n->map_keys.front();
  out.primitive = n->list == node::list_type::set;
  return out;
}

bool is_directive(std::string_view key) { return key.starts_with('$'); }

/// `{"$patch": "replace"}` alone: says what happens to the list and is no element of it.
bool is_replace_marker(const document& element) {
  return element.is_object() && element.size() == 1 && string_at(element, {"$patch"}) == "replace";
}

class merger {
 public:
  document merge_object(const document& target, const document& patch, const node* n, bool in_metadata);
  std::string problem;

 private:
  void merge_member(document& out, const std::string& key, const document& value, const node* n, bool in_metadata);
  document merge_list(const document& target, const document& patch, const list_rule& rule);
  document unite(const document& target, const document& patch);
  document merge_by_key(const document& target, const document& patch, const list_rule& rule);
  void set_order(document& out, const document& patch, const node* n, bool in_metadata);
};

list_rule rule_for(const node* parent, const std::string& key, bool in_metadata) {
  if (in_metadata) return metadata_rule(key);
  return rule_of(parent ? parent->member(key) : nullptr);
}

value_set values_of(const document& list) {
  value_set out;
  for (const auto& e : list) out.insert(&e);
  return out;
}

void remove_values(document& out, const std::string& field, const document& values) {
  auto list = out.find(field);
  if (list == out.end() || !list->is_array()) return;
  const auto gone = values_of(values);
  std::erase_if(list->get_ref<document::array_t&>(), [&](const document& e) { return gone.contains(&e); });
}

void retain_keys(document& out, const document& keys) {
  std::set<std::string_view> kept;
  for (const auto& key : keys)
    if (key.is_string()) kept.insert(key.get_ref<const std::string&>());
  for (auto it = out.begin(); it != out.end();) it = kept.contains(it.key()) ? std::next(it) : out.erase(it);
}

/// The element's merge key; null if it has none that could name it.
const document* key_in(const document& element, const list_rule& rule) {
  if (!element.is_object()) return nullptr;
  const auto key = element.find(rule.key);
  return key == element.end() || key->is_null() || key->is_structured() ? nullptr : &*key;
}

document merger::merge_object(const document& target, const document& patch, const node* n, bool in_metadata) {
  auto directive = string_at(patch, {"$patch"});
  if (directive == "delete") return document::object();
  document out = target.is_object() && directive != "replace" ? target : document::object();
  for (const auto& [key, value] : patch.items()) {
    if (key.starts_with(delete_prefix) && value.is_array()) {
      remove_values(out, key.substr(delete_prefix.size()), value);
    } else if (!is_directive(key)) {
      merge_member(out, key, value, n, in_metadata);
    }
  }
  set_order(out, patch, n, in_metadata);
  if (auto keep = patch.find("$retainKeys"); keep != patch.end() && keep->is_array()) retain_keys(out, *keep);
  return out;
}

void merger::merge_member(document& out, const std::string& key, const document& value, const node* n,
                          bool in_metadata) {
  static const document absent;
  auto had = out.find(key);
  const document& old = had == out.end() ? absent : *had;
  if (value.is_null() || (value.is_object() && string_at(value, {"$patch"}) == "delete")) {
    out.erase(key);
  } else if (value.is_object()) {
    out[key] = merge_object(old, value, n ? n->member(key) : nullptr, key == "metadata");
  } else if (value.is_array()) {
    out[key] = merge_list(old, value, rule_for(n, key, in_metadata));
  } else {
    out[key] = value;
  }
}

document merger::merge_list(const document& target, const document& patch, const list_rule& rule) {
  const auto replaces =
      std::any_of(patch.begin(), patch.end(), [](const document& e) { return string_at(e, {"$patch"}) == "replace"; });
  const bool merges = target.is_array() && !replaces && (!rule.key.empty() || rule.primitive);
  const document& old = merges ? target : nothing;
  if (!rule.key.empty()) return merge_by_key(old, patch, rule);
  if (rule.primitive) return unite(old, patch);
  document out = document::array();
  for (const auto& element : patch) {
    if (is_replace_marker(element)) continue;
    out.push_back(element.is_object() ? merge_object({}, element, rule.items, false) : element);
  }
  return out;
}

document merger::unite(const document& target, const document& patch) {
  document out = target;
  auto& elements = out.get_ref<document::array_t&>();
  elements.reserve(target.size() + patch.size());  // so that what points to them holds
  auto known = values_of(out);
  for (const auto& element : patch) {
    if (is_replace_marker(element)) continue;
    elements.push_back(element.is_object() ? merge_object({}, element, nullptr, false) : element);
    if (!known.insert(&elements.back()).second) elements.pop_back();
  }
  return out;
}

document merger::merge_by_key(const document& target, const document& patch, const list_rule& rule) {
  std::vector<std::optional<document>> merged(target.begin(), target.end());
  value_places places;  // of the elements by key; the keys themselves stay where they are, in target and patch
  for (std::size_t i = 0; i < target.size(); ++i)
    if (const auto* key = key_in(target[i], rule)) places[key].push_back(i);
  for (const auto& element : patch) {
    if (is_replace_marker(element)) continue;
    const auto* key = key_in(element, rule);
    if (!key && element.is_object()) {
      problem = "map: " + element.dump(-1, ' ', false, document::error_handler_t::replace) +
                " does not contain declared merge key: " + rule.key;
      return nothing;
    }
    const auto found = key ? places.find(key) : places.end();
    if (key && string_at(element, {"$patch"}) == "delete") {
      if (found == places.end()) continue;
      for (const auto place : found->second) merged[place].reset();
      places.erase(found);
    } else if (found != places.end()) {
      auto& place = merged[found->second.front()];
      place = merge_object(*place, element, rule.items, false);
    } else {
      if (key) places[key].push_back(merged.size());
      merged.emplace_back(key ? merge_object({}, element, rule.items, false) : element);
    }
  }
  document out = document::array();
  for (auto& element : merged)
    if (element) out.push_back(std::move(*element));
  return out;
}

/// Puts the listed elements into the listed order, in the places that they hold among the others.
void merger::set_order(document& out, const document& patch, const node* n, bool in_metadata) {
  for (const auto& [directive, order] : patch.items()) {
    if (!directive.starts_with(order_prefix) || !order.is_array()) continue;
    auto field = directive.substr(order_prefix.size());
    auto list = out.find(field);
    if (list == out.end() || !list->is_array()) continue;
    const auto rule = rule_for(n, field, in_metadata);
    const auto what = [&](const document& e) { return rule.key.empty() ? &e : key_in(e, rule); };
    value_places wanted;
    for (std::size_t i = 0; i < order.size(); ++i)
      if (const auto* value = what(order[i])) wanted[value].push_back(i);
    auto& elements = list->get_ref<document::array_t&>();
    std::vector<std::size_t> slots;
    std::vector<std::pair<std::size_t, document>> listed;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const auto* value = what(elements[i]);
      const auto place = value ? wanted.find(value) : wanted.end();
      if (place == wanted.end()) continue;
      slots.push_back(i);
      listed.emplace_back(place->second.front(), elements[i]);
    }
    std::stable_sort(listed.begin(), listed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < slots.size(); ++i) elements[slots[i]] = std::move(listed[i].second);
  }
}

}  // namespace

result<document> apply_strategic_merge(const document& target, const document& patch, const schema& structure) {
  if (!patch.is_object()) return fail(errc::malformed, "the patch must be an object");
  merger m;
  auto out = m.merge_object(target, patch, &structure.root(), false);
  if (!m.problem.empty()) return fail(errc::malformed, m.problem);
  return out;
}

}  // namespace wh
