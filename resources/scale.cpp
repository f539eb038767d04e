#include "resources/scale.hpp"

#include <algorithm>
#include <limits>

namespace wh {

namespace {

constexpr std::int64_t replicas_max = std::numeric_limits<std::int32_t>::max();

/// The type of a value as Go's decoder makes it, for messages.
const char* go_type(const document& value) {
  switch (value.type()) {
    case document::value_t::null: return "<nil>";
    case document::value_t::boolean: return "bool";
    case document::value_t::string: return "string";
    case document::value_t::number_float: return "float64";
    case document::value_t::array: return "[]interface {}";
    case document::value_t::object: return "map[string]interface {}";
    default: return "int64";
  }
}

std::string go_text(const document& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "<nil>" : value.dump(-1, ' ', false, document::error_handler_t::replace);
}

error wrong_type(const std::string& path, const document& value, const char* expected) {
  return fail(errc::internal, path + " accessor error: " + go_text(value) + " is of the type " + go_type(value) +
                                  ", expected " + expected);
}

/// The value at a path, null when there is none.
result<const document*> value_at(const document& object, std::string_view path) {
  const document* at = &object;
  std::string walked;
  for (const auto& name : split_scale_path(path)) {
    if (at->is_null()) return nullptr;
    if (!at->is_object()) return wrong_type(walked, *at, "map[string]interface{}");
    const auto it = at->find(name);
    if (it == at->end()) return nullptr;
    at = &*it;
    walked += "." + name;
  }
  return at;
}

/// nullopt: there is none.
result<std::optional<std::int64_t>> replicas_at(const document& object, const std::string& path) {
  const auto value = value_at(object, path);
  if (!value) return value.err();
  if (!*value) return std::optional<std::int64_t>();
  if (!(*value)->is_number_integer()) return wrong_type(path, **value, "int64");
  return std::optional((*value)->get<std::int64_t>());
}

result<std::string> selector_at(const document& object, const std::string& path) {
  if (path.empty()) return std::string();
  const auto value = value_at(object, path);
  if (!value) return value.err();
  if (!*value) return std::string();
  if ((*value)->is_object()) return selector_text(**value);
  if (!(*value)->is_string()) return wrong_type(path, **value, "string");
  return (*value)->get<std::string>();
}

void check_replicas(const document& object, const std::string& path, std::vector<field_error>& errors) {
  const auto invalid = [&](std::int64_t value, std::string why) {
    errors.push_back({field_error_type::invalid, path, std::to_string(value), std::move(why)});
  };
  const auto found = replicas_at(object, path);
  if (!found) return invalid(0, found.err().message);
  const auto replicas = found->value_or(0);
  if (replicas < 0) invalid(replicas, "should be a non-negative integer");
  if (replicas > replicas_max) invalid(replicas, "should be less than or equal to " + std::to_string(replicas_max));
}

document metadata_of(const document& object) {
  document out = document::object();
  for (const char* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
    if (const auto* value = find_path(object, {"metadata", name})) out[name] = *value;
  return out;
}

/// `key in (a,b)`, `!key` …; the key goes first in the pair, to sort by.
std::pair<std::string, std::string> term_of(const document& expression) {
  const auto key = std::string(string_at(expression, {"key"}));
  const auto how = string_at(expression, {"operator"});
  if (how == "Exists") return {key, key};
  if (how == "DoesNotExist") return {key, "!" + key};
  std::vector<std::string> values;
  if (const auto* list = find_path(expression, {"values"}); list && list->is_array())
    for (const auto& v : *list)
      if (v.is_string()) values.push_back(v.get<std::string>());
  std::sort(values.begin(), values.end());
  std::string text = key + (how == "NotIn" ? " notin (" : " in (");
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ",") + values[i];
  return {key, text + ")"};
}

}  // namespace

const kind_ptr& scale_kind() {
  static const kind_ptr kind = find_request_kind("autoscaling", "v1", "Scale");
  return kind;
}

result<scale_view> scale_of(const kind_info& kind, const document& object) {
  const auto wanted = replicas_at(object, kind.scale->spec_replicas);
  if (!wanted) return wanted.err();
  const auto actual = replicas_at(object, kind.scale->status_replicas);
  if (!actual) return actual.err();
  const auto selector = selector_at(object, kind.scale->selector);
  if (!selector) return selector.err();
  document scale = {{"apiVersion", scale_api_version},
                    {"kind", "Scale"},
                    {"metadata", metadata_of(object)},
                    {"spec", document::object()},
                    {"status", {{"replicas", static_cast<std::int32_t>(actual->value_or(0))}}}};
  // Kubernetes writes neither a zero here nor an empty selector.
  if (const auto n = static_cast<std::int32_t>(wanted->value_or(0)); n != 0) scale["spec"]["replicas"] = n;
  if (!selector->empty()) scale["status"]["selector"] = *selector;
  return scale_view{std::move(scale), wanted->has_value()};
}

result<void> set_replicas(const kind_info& kind, document& object, std::int64_t replicas) {
  document* at = &object;
  std::string walked;
  for (const auto& name : split_scale_path(kind.scale->spec_replicas)) {
    if (at->is_null()) *at = document::object();
    if (!at->is_object())
      return fail(errc::internal, "value cannot be set because " + walked + " is not a map[string]interface{}");
    at = &(*at)[name];
    walked += "." + name;
  }
  *at = replicas;
  return {};
}

std::vector<field_error> validate_scale_values(const kind_info& kind, const document& object, bool of_status) {
  std::vector<field_error> errors;
  const auto& paths = *kind.scale;
  check_replicas(object, of_status ? paths.status_replicas : paths.spec_replicas, errors);
  if (paths.selector.starts_with(".status.") != of_status) return errors;
  if (const auto selector = selector_at(object, paths.selector); !selector)
    errors.push_back({field_error_type::invalid, paths.selector, "\"\"", selector.err().message});
  return errors;
}

std::string selector_text(const document& selector) {
  std::vector<std::pair<std::string, std::string>> terms;
  const auto add_labels = [&](const document& labels) {
    for (const auto& [key, value] : labels.items())
      if (value.is_string()) terms.emplace_back(key, key + "=" + value.get<std::string>());
  };
  const auto* labels = find_path(selector, {"matchLabels"});
  const auto* expressions = find_path(selector, {"matchExpressions"});
  if (labels && labels->is_object()) add_labels(*labels);
  if (expressions && expressions->is_array())
    for (const auto& e : *expressions) terms.push_back(term_of(e));
  add_labels(selector);  // a ReplicationController's are labels themselves
  std::stable_sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  for (const auto& [key, term] : terms) out += (out.empty() ? "" : ",") + term;
  return out;
}

std::vector<std::string> split_scale_path(std::string_view path) {
  std::vector<std::string> out;
  if (path.starts_with('.')) path.remove_prefix(1);
  while (!path.empty()) {
    const auto dot = path.find('.');
    out.emplace_back(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return out;
}

}  // namespace wh
