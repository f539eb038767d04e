#include "resources/apply/managers.hpp"

#include <algorithm>

namespace wh::apply {

namespace {

using operation = manager_id::operation_type;

constexpr std::string_view fields_type = "FieldsV1";

result<std::pair<manager_id, ownership>> parse_entry(const document& entry) {
  if (!entry.is_object()) return fail(errc::malformed, "must be an object");
  manager_id id;
  ownership owned;
  const auto op = string_at(entry, {"operation"});
  if (op != "Apply" && op != "Update") return fail(errc::invalid, "operation must be `Apply` or `Update`");
  id.operation = op == "Apply" ? operation::apply : operation::update;
  owned.api_version = string_at(entry, {"apiVersion"});
  if (owned.api_version.empty()) return fail(errc::invalid, "apiVersion must not be empty");
  if (const auto type = string_at(entry, {"fieldsType"}); type != fields_type)
    return fail(errc::invalid, type.empty() ? "missing fieldsType" : "invalid fieldsType " + document(type).dump());
  id.manager = string_at(entry, {"manager"});
  id.subresource = string_at(entry, {"subresource"});
  if (id.operation == operation::update) id.api_version = owned.api_version;
  owned.time = string_at(entry, {"time"});
  if (const auto* fields = find_path(entry, {"fieldsV1"}); fields && !fields->is_null()) {
    auto set = parse_fields_v1(*fields);
    if (!set) return set.err();
    owned.fields = std::move(*set);
  }
  return std::pair{std::move(id), std::move(owned)};
}

document entry_of(const manager_id& id, const ownership& owned) {
  document out = {{"apiVersion", owned.api_version},
                  {"fieldsType", fields_type},
                  {"fieldsV1", fields_v1_of(owned.fields)},
                  {"operation", id.operation == operation::apply ? "Apply" : "Update"}};
  if (!id.manager.empty()) out["manager"] = id.manager;
  if (!id.subresource.empty()) out["subresource"] = id.subresource;
  if (!owned.time.empty()) out["time"] = owned.time;
  return out;
}

/// A time to sort by: nanoseconds are none of Kubernetes' business here, and RFC 3339 in UTC sorts as text.
std::string_view seconds_of(const ownership& owned) { return std::string_view(owned.time).substr(0, 19); }

document without_times(document list) {
  if (!list.is_array()) return document::array();
  for (auto& entry : list)
    if (entry.is_object()) entry.erase("time");
  return list;
}

}  // namespace

result<managers> parse_managers(const document& managed_fields) {
  managers out;
  if (managed_fields.is_null()) return out;
  if (!managed_fields.is_array()) return fail(errc::malformed, "metadata.managedFields: must be a list");
  if (managed_fields.size() > managers_max)
    return fail(errc::too_large, "metadata.managedFields: more than " + std::to_string(managers_max) + " managers");
  for (std::size_t i = 0; i < managed_fields.size(); ++i) {
    auto entry = parse_entry(managed_fields[i]);
    if (!entry)
      return fail(entry.err().code, "metadata.managedFields[" + std::to_string(i) + "]: " + entry.err().message);
    out[std::move(entry->first)] = std::move(entry->second);
  }
  return out;
}

document managed_fields_of(const managers& owners) {
  if (owners.empty()) return nullptr;
  std::vector<const managers::value_type*> sorted;
  for (const auto& o : owners) sorted.push_back(&o);
  // The map's own order (manager, then version and subresource) decides between equals.
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->first.operation != b->first.operation) return a->first.operation < b->first.operation;
    return seconds_of(a->second) < seconds_of(b->second);
  });
  document out = document::array();
  for (const auto* o : sorted) out.push_back(entry_of(o->first, o->second));
  return out;
}

bool is_reset(const document& managed_fields) {
  if (!managed_fields.is_array()) return false;
  return managed_fields.empty() ||
         (managed_fields.size() == 1 && managed_fields[0].is_object() && managed_fields[0].empty());
}

bool same_but_for_times(const document& a, const document& b) { return without_times(a) == without_times(b); }

std::string text_of(const manager_id& id) {
  const auto quoted = [](const std::string& text) {
    return document(text).dump(-1, ' ', false, document::error_handler_t::replace);
  };
  auto out = quoted(id.manager);
  if (!id.subresource.empty()) out += " with subresource " + quoted(id.subresource);
  if (id.operation == operation::update) out += " using " + id.api_version;
  return out;
}

}  // namespace wh::apply
