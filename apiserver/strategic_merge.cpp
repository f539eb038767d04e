#include "apiserver/strategic_merge.hpp"

#include <algorithm>

namespace wh {

namespace {

using node = schema::node;

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
  if (n->list == node::list_type::map && !n->map_keys.empty()) out.key = n->map_keys.front();
  out.primitive = n->list == node::list_type::set;
  return out;
}

bool is_directive(std::string_view key) { return key.starts_with('$'); }

class merger {
 public:
  document merge_object(const document& target, const document& patch, const node* n, bool in_metadata);
  std::string problem;

 private:
  void merge_member(document& out, const std::string& key, const document& value, const node* n, bool in_metadata);
  document merge_list(const document& target, const document& patch, const list_rule& rule);
  void merge_element(document::array_t& out, const document& element, const list_rule& rule);
  void set_order(document& out, const document& patch, const node* n, bool in_metadata);
};

list_rule rule_for(const node* parent, const std::string& key, bool in_metadata) {
  if (in_metadata) return metadata_rule(key);
  return rule_of(parent ? parent->member(key) : nullptr);
}

document merger::merge_object(const document& target, const document& patch, const node* n, bool in_metadata) {
  auto directive = string_at(patch, {"$patch"});
  if (directive == "delete") return document::object();
  document out = target.is_object() && directive != "replace" ? target : document::object();
  for (const auto& [key, value] : patch.items()) {
    if (key.starts_with(delete_prefix) && value.is_array()) {
      auto list = out.find(key.substr(delete_prefix.size()));
      if (list != out.end() && list->is_array())
        std::erase_if(list->get_ref<document::array_t&>(),
                      [&v = value](const document& e) { return std::find(v.begin(), v.end(), e) != v.end(); });
    } else if (!is_directive(key)) {
      merge_member(out, key, value, n, in_metadata);
    }
  }
  set_order(out, patch, n, in_metadata);
  if (auto keep = patch.find("$retainKeys"); keep != patch.end() && keep->is_array()) {
    for (auto it = out.begin(); it != out.end();)
      it = std::find(keep->begin(), keep->end(), document(it.key())) == keep->end() ? out.erase(it) : std::next(it);
  }
  return out;
}

void merger::merge_member(document& out, const std::string& key, const document& value, const node* n,
                          bool in_metadata) {
  static const document nothing;
  auto had = out.find(key);
  const document& old = had == out.end() ? nothing : *had;
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
  document out = target.is_array() ? target : document::array();
  auto replaces =
      std::any_of(patch.begin(), patch.end(), [](const document& e) { return string_at(e, {"$patch"}) == "replace"; });
  bool merges = !rule.key.empty() || rule.primitive;
  if (!merges || replaces) out = document::array();
  for (const auto& element : patch) {
    if (replaces && string_at(element, {"$patch"}) == "replace" && element.size() == 1) continue;
    auto& elements = out.get_ref<document::array_t&>();
    if (!element.is_object()) {
      if (!rule.primitive || std::find(elements.begin(), elements.end(), element) == elements.end())
        elements.push_back(element);
    } else if (rule.key.empty()) {
      elements.push_back(merge_object({}, element, rule.items, false));
    } else {
      merge_element(elements, element, rule);
    }
  }
  return out;
}

void merger::merge_element(document::array_t& out, const document& element, const list_rule& rule) {
  auto key = element.find(rule.key);
  if (key == element.end()) {
    problem = "map: " + element.dump(-1, ' ', false, document::error_handler_t::replace) +
              " does not contain declared merge key: " + rule.key;
    return;
  }
  auto same = [&](const document& e) { return e.is_object() && e.contains(rule.key) && e[rule.key] == *key; };
  if (string_at(element, {"$patch"}) == "delete") {
    std::erase_if(out, same);
    return;
  }
  auto found = std::find_if(out.begin(), out.end(), same);
  if (found == out.end()) out.push_back(merge_object({}, element, rule.items, false));
  else *found = merge_object(*found, element, rule.items, false);
}

/// Puts the listed elements into the listed order, in the places that they hold among the others.
void merger::set_order(document& out, const document& patch, const node* n, bool in_metadata) {
  for (const auto& [directive, order] : patch.items()) {
    if (!directive.starts_with(order_prefix) || !order.is_array()) continue;
    auto field = directive.substr(order_prefix.size());
    auto list = out.find(field);
    if (list == out.end() || !list->is_array()) continue;
    auto key = rule_for(n, field, in_metadata).key;
    auto place = [&, &wanted = order](const document& e) {
      auto it = std::find_if(wanted.begin(), wanted.end(), [&](const document& w) {
        return key.empty() ? w == e
                           : w.is_object() && e.is_object() && w.contains(key) && e.contains(key) && w[key] == e[key];
      });
      return it - wanted.begin();
    };
    auto& elements = list->get_ref<document::array_t&>();
    std::vector<std::size_t> slots;
    std::vector<std::pair<std::ptrdiff_t, document>> listed;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      auto p = place(elements[i]);
      if (p == static_cast<std::ptrdiff_t>(order.size())) continue;
      slots.push_back(i);
      listed.emplace_back(p, elements[i]);
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
