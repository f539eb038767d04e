#include <algorithm>

#include "resources/document.hpp"

namespace wh {
namespace {

bool has_type(const document& entry, std::string_view type) { return string_at(entry, {"type"}) == type; }

bool assign(document& entry, const char* field, document value) {
  auto& slot = entry[field];
  if (slot == value) return false;
  slot = std::move(value);
  return true;
}

bool assign_observed(document& entry, const std::optional<generation>& observed) {
  // Kubernetes leaves out generation 0, so that "unknown" has one form.
  if (observed && observed->get() != 0) return assign(entry, "observedGeneration", observed->get());
  return entry.erase("observedGeneration") > 0;
}

}  // namespace

const document* find_condition(const document& conditions, std::string_view type) {
  if (!conditions.is_array()) return nullptr;
  const auto it = std::find_if(conditions.begin(), conditions.end(), [&](const auto& c) { return has_type(c, type); });
  return it == conditions.end() ? nullptr : &*it;
}

std::string_view condition_status(const document& doc, std::string_view type) {
  const auto* conditions = find_path(doc, {"status", "conditions"});
  const auto* found = conditions ? find_condition(*conditions, type) : nullptr;
  return found ? string_at(*found, {"status"}) : std::string_view();
}

bool set_condition(document& conditions, const condition& c, instant now) {
  if (!conditions.is_array()) conditions = document::array();
  auto it = std::find_if(conditions.begin(), conditions.end(), [&](const auto& e) { return has_type(e, c.type); });
  bool changed = false;
  if (it == conditions.end()) {
    conditions.push_back({{"type", c.type}});
    it = std::prev(conditions.end());
    changed = true;
  }
  auto& entry = *it;
  if (string_at(entry, {"status"}) != c.status) {
    entry["status"] = c.status;
    entry["lastTransitionTime"] = to_rfc3339(now);
    changed = true;
  }
  changed |= assign(entry, "reason", c.reason);
  changed |= assign(entry, "message", c.message);
  changed |= assign_observed(entry, c.observed);
  return changed;
}

bool remove_condition(document& conditions, std::string_view type) {
  if (!conditions.is_array()) return false;
  auto& entries = conditions.get_ref<document::array_t&>();
  return std::erase_if(entries, [&](const document& c) { return has_type(c, type); }) > 0;
}

}  // namespace wh
