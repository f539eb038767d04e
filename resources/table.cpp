#include "resources/table.hpp"

#include "resources/internal/computed_columns.hpp"
#include "resources/internal/json_path.hpp"

namespace wh {
namespace {

std::string text_of(const document& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, document::error_handler_t::replace);
}

document date_cell(const document& value, instant now) {
  const auto t = value.is_string() ? parse_rfc3339(value.get_ref<const std::string&>()) : fail(errc::invalid, "");
  return t ? document(human_duration(now - *t)) : document("<unknown>");
}

/// What a column says of an object that has nothing there. Kubernetes' own kinds are typed: nothing is zero. Others,
/// here or elsewhere, come from CRDs: nothing is nothing.
document empty_cell(const kind_info& kind, const table_column& column) {
  if (!column.empty.empty()) return column.empty;
  const bool typed = !kind.protobuf.empty();
  if (!typed) return nullptr;
  if (column.type == "integer") return 0;
  if (column.type == "boolean") return false;
  return column.type == "date" ? document("<unknown>") : document(nullptr);
}

document cell(const kind_info& kind, const table_column& column, const document& object, instant now) {
  if (column.json_path.starts_with('@')) return internal::computed_cell(column.json_path.substr(1), object, now);
  const auto path = internal::json_path::parse(column.json_path);
  if (!path) return nullptr;
  const auto found = path->match(object);
  if (found.empty() || found.front()->is_null()) return empty_cell(kind, column);
  const auto& value = *found.front();
  if (column.type == "date") return date_cell(value, now);
  if (column.type == "integer" || column.type == "number") return value.is_number() ? value : document(nullptr);
  if (column.type == "boolean") return value.is_boolean() ? value : document(nullptr);
  std::string text;
  for (const auto* each : found) text += (each == found.front() ? "" : ",") + text_of(*each);
  return text;
}

document partial_metadata(const document& object) {
  document out = {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}};
  const auto it = object.find("metadata");
  out["metadata"] = it == object.end() ? document::object() : *it;
  return out;
}

document definition(const std::string& name, const std::string& type, const std::string& format,
                    const std::string& description, int priority) {
  return {{"name", name}, {"type", type}, {"format", format}, {"description", description}, {"priority", priority}};
}

}  // namespace

document table_cells(const kind_info& kind, const document& object, instant now) {
  auto cells = document::array({std::string(name_of(object))});
  for (const auto& column : kind.columns) cells.push_back(cell(kind, column, object, now));
  return cells;
}

document table_row(const kind_info& kind, const document& object, std::string_view include_object, instant now) {
  document row = {{"cells", table_cells(kind, object, now)}};
  if (include_object == "Object") {
    row["object"] = object;
  } else if (include_object != "None") {
    row["object"] = partial_metadata(object);
  }
  return row;
}

document table_columns(const kind_info& kind) {
  auto out = document::array();
  out.push_back(definition("Name", "string", "name", "The object's name, unique in its namespace.", 0));
  for (const auto& c : kind.columns) out.push_back(definition(c.name, c.type, c.format, c.description, c.priority));
  return out;
}

document eval_json_path(const document& object, std::string_view path) {
  const auto parsed = internal::json_path::parse(path);
  if (!parsed) return nullptr;
  const auto found = parsed->match(object);
  if (found.empty()) return nullptr;
  if (found.size() == 1) return *found.front();
  auto all = document::array();
  for (const auto* each : found) all.push_back(*each);
  return all;
}

}  // namespace wh
