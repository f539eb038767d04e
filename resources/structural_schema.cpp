#include "resources/internal/structural_schema.hpp"

#include <algorithm>

#include "resources/internal/pattern.hpp"
#include "resources/internal/schema_compiler.hpp"
#include "resources/internal/shown_value.hpp"

namespace wh::internal {
namespace {

constexpr std::size_t errors_max = 20;
constexpr int depth_max = 64;

constexpr std::string_view types[] = {"object", "array", "string", "integer", "number", "boolean"};
constexpr std::string_view unsupported[] = {"$ref", "definitions", "dependencies", "patternProperties",
                                            "additionalItems"};
// Inside allOf, anyOf, oneOf and not a schema may only narrow values, never say what is there.
constexpr std::string_view structure_only[] = {"additionalProperties",
                                               "default",
                                               "description",
                                               "nullable",
                                               "title",
                                               "x-kubernetes-preserve-unknown-fields",
                                               "x-kubernetes-embedded-resource",
                                               "x-kubernetes-list-type",
                                               "x-kubernetes-list-map-keys"};

bool flag(const document& s, const char* key) { return bool_at(s, {key}, false); }
bool is_object(const document& s, const char* key) { return s.contains(key) && s[key].is_object(); }

/// The `type` as a complaint shows it.
std::string quoted_type(const document& s) {
  const auto* type = find_path(s, {"type"});
  return type ? shown_value(*type) : "\"\"";
}

class checker {
 public:
  std::vector<field_error> errors;

  void root(const document& s, const std::string& path) {
    if (string_at(s, {"type"}) != "object") invalid(path + ".type", quoted_type(s), "must be object at the root");
    structure(s, path, 0);
    if (const auto* metadata = find_path(s, {"properties", "metadata", "properties"});
        metadata && metadata->is_object()) {
      for (const auto& [name, rule] : metadata->items()) {
        if (name != "name" && name != "generateName") {
          forbidden(path + ".properties[metadata].properties[" + name + "]",
                    "only name and generateName may be restricted");
        }
      }
    }
  }

 private:
  bool full() const { return errors.size() >= errors_max; }
  void add(field_error_type type, std::string field, std::string value, std::string why) {
    if (!full()) errors.push_back({type, std::move(field), std::move(value), std::move(why)});
  }
  void invalid(std::string field, std::string value, std::string why) {
    add(field_error_type::invalid, std::move(field), std::move(value), std::move(why));
  }
  void required(std::string field, std::string why) {
    add(field_error_type::required, std::move(field), "", std::move(why));
  }
  void forbidden(std::string field, std::string why) {
    add(field_error_type::forbidden, std::move(field), "", std::move(why));
  }

  /// A place of the structure: it says its type and its children's.
  void structure(const document& s, const std::string& path, int depth) {
    if (full()) return;
    if (depth > depth_max) return invalid(path, "", "nested too deeply");
    if (!s.is_object()) return invalid(path, shown_value(s), "must be an object");
    type(s, path);
    keywords(s, path);
    rules(s, path);
    children(s, path, depth);
    list_rules(s, path);
    combinations(s, path, depth);
    default_value(s, path);
  }

  void type(const document& s, const std::string& path) {
    const auto name = string_at(s, {"type"});
    const bool int_or_string = flag(s, "x-kubernetes-int-or-string");
    if (name.empty()) {
      if (!int_or_string && !flag(s, "x-kubernetes-preserve-unknown-fields")) {
        required(path + ".type", "must not be empty for specified object fields");
      }
    } else if (int_or_string) {
      forbidden(path + ".type", "must be empty if x-kubernetes-int-or-string is true");
    } else if (std::find(std::begin(types), std::end(types), name) == std::end(types)) {
      add(field_error_type::not_supported, path + ".type", shown_value(std::string(name)),
          "supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"");
    }
    if (flag(s, "x-kubernetes-embedded-resource")) {
      if (name != "object")
        invalid(path + ".type", shown_value(std::string(name)),
                "must be object if x-kubernetes-embedded-resource is true");
      if (!s.contains("properties") && !flag(s, "x-kubernetes-preserve-unknown-fields")) {
        required(path + ".properties",
                 "must not be empty if x-kubernetes-embedded-resource is true without "
                 "x-kubernetes-preserve-unknown-fields");
      }
    }
  }

  void keywords(const document& s, const std::string& path) {
    for (const auto key : unsupported) {
      if (s.contains(key)) forbidden(path + "." + std::string(key), "is not supported");
    }
    if (flag(s, "uniqueItems"))
      forbidden(path + ".uniqueItems",
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    if (s.contains("x-kubernetes-preserve-unknown-fields") && !flag(s, "x-kubernetes-preserve-unknown-fields")) {
      invalid(path + ".x-kubernetes-preserve-unknown-fields", "false", "must be true or undefined");
    }
    if (const auto expression = string_at(s, {"pattern"}); !expression.empty()) {
      if (auto compiled = pattern::compile(expression); !compiled) {
        invalid(path + ".pattern", shown_value(std::string(expression)),
                "must be a valid regular expression, but isn't: " + compiled.err().message);
      }
    }
  }

  /// Rules in CEL: each must be there to be named, whatever it says.
  void rules(const document& s, const std::string& path) {
    const auto list = s.find("x-kubernetes-validations");
    if (list == s.end()) return;
    const auto at = path + ".x-kubernetes-validations";
    if (!list->is_array()) return invalid(at, shown_value(*list), "must be a list");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto place = at + "[" + std::to_string(i) + "]";
      if (!(*list)[i].is_object()) invalid(place, shown_value((*list)[i]), "must be an object");
      else if (string_at((*list)[i], {"rule"}).empty()) required(place + ".rule", "rule is not specified");
    }
  }

  void children(const document& s, const std::string& path, int depth) {
    if (s.contains("properties") && s.contains("additionalProperties")) {
      forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
    }
    if (s.contains("properties")) {
      if (!is_object(s, "properties"))
        return invalid(path + ".properties", shown_value(s["properties"]), "must be an object");
      for (const auto& [name, child] : s["properties"].items()) {
        structure(child, path + ".properties[" + name + "]", depth + 1);
      }
    }
    if (is_object(s, "additionalProperties"))
      structure(s["additionalProperties"], path + ".additionalProperties", depth + 1);
    if (s.contains("items")) {
      if (s["items"].is_array()) return forbidden(path + ".items", "items must be a schema object and not an array");
      structure(s["items"], path + ".items", depth + 1);
    } else if (string_at(s, {"type"}) == "array") {
      required(path + ".items", "must be specified");
    }
  }

  void list_rules(const document& s, const std::string& path) {
    const auto list = string_at(s, {"x-kubernetes-list-type"});
    const auto keys = s.value("x-kubernetes-list-map-keys", document::array());
    if (list.empty()) {
      if (!keys.empty())
        required(path + ".x-kubernetes-list-type", "must be map if x-kubernetes-list-map-keys is non-empty");
      return;
    }
    if (string_at(s, {"type"}) != "array")
      invalid(path + ".type", quoted_type(s), "must be array if x-kubernetes-list-type is specified");
    if (list == "map") return map_keys(s, keys, path);
    if (list != "set" && list != "atomic") {
      add(field_error_type::not_supported, path + ".x-kubernetes-list-type", shown_value(std::string(list)),
          "supported values: \"atomic\", \"map\", \"set\"");
    }
  }

  void map_keys(const document& s, const document& keys, const std::string& path) {
    if (!keys.is_array() || keys.empty()) {
      return required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map");
    }
    const auto* items = find_path(s, {"items"});
    if (!items || string_at(*items, {"type"}) != "object") {
      return invalid(path + ".items.type", items ? quoted_type(*items) : "",
                     "must be object if parent array's x-kubernetes-list-type is map");
    }
    const auto needed = items->value("required", document::array());
    for (const auto& key : keys) {
      const auto name = key.is_string() ? key.get<std::string>() : std::string();
      const auto* property = find_path(*items, {"properties", name});
      if (!property) {
        invalid(path + ".x-kubernetes-list-map-keys", shown_value(key), "entries must all be names of item properties");
      } else if (string_at(*property, {"type"}) == "object" || string_at(*property, {"type"}) == "array") {
        invalid(path + ".items.properties[" + name + "].type", shown_value((*property)["type"]),
                "must be a scalar type if parent array's x-kubernetes-list-type is map");
      } else if (!property->contains("default") && std::find(needed.begin(), needed.end(), key) == needed.end()) {
        required(path + ".items.properties[" + name + "].default",
                 "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
      }
    }
  }

  void combinations(const document& s, const std::string& path, int depth) {
    for (const char* key : {"allOf", "anyOf", "oneOf"}) {
      if (!s.contains(key)) continue;
      if (!s[key].is_array()) {
        invalid(path + "." + key, shown_value(s[key]), "must be a list");
        continue;
      }
      for (std::size_t i = 0; i < s[key].size(); ++i) {
        values_only(s[key][i], path + "." + key + "[" + std::to_string(i) + "]", flag(s, "x-kubernetes-int-or-string"),
                    depth + 1);
      }
    }
    if (s.contains("not")) values_only(s["not"], path + ".not", false, depth + 1);
  }

  void values_only(const document& s, const std::string& path, bool may_have_type, int depth) {
    if (full()) return;
    if (depth > depth_max) return invalid(path, "", "nested too deeply");
    if (!s.is_object()) return invalid(path, shown_value(s), "must be an object");
    rules(s, path);
    if (s.contains("type") && !may_have_type) forbidden(path + ".type", "must be empty to be structural");
    for (const auto key : structure_only) {
      if (s.contains(key)) forbidden(path + "." + std::string(key), "must be undefined to be structural");
    }
    if (is_object(s, "properties")) {
      for (const auto& [name, child] : s["properties"].items())
        values_only(child, path + ".properties[" + name + "]", false, depth + 1);
    }
    if (s.contains("items")) values_only(s["items"], path + ".items", false, depth + 1);
    combinations_below(s, path, may_have_type, depth);
  }

  void combinations_below(const document& s, const std::string& path, bool may_have_type, int depth) {
    for (const char* key : {"allOf", "anyOf", "oneOf"}) {
      if (!s.contains(key) || !s[key].is_array()) continue;
      for (const auto& each : s[key]) values_only(each, path + "." + key, may_have_type, depth + 1);
    }
    if (s.contains("not")) values_only(s["not"], path + ".not", false, depth + 1);
  }

  void default_value(const document& s, const std::string& path) {
    if (!s.contains("default") || full()) return;
    schema_compiler compiler({});
    const auto node = compiler.compile(s);
    if (!node) return;  // what is wrong was said already
    const auto own = schema_access::make(*node, [] { return document(); });
    for (const auto& problem : own->validate(s["default"], 3)) {
      invalid(path + ".default" + (problem.field.empty() ? "" : "." + problem.field), problem.value, problem.detail);
    }
    auto pruned = s["default"];
    for (const auto& field : own->prune(pruned)) {
      invalid(path + ".default", shown_value(s["default"]), "must not have unknown fields: " + field);
    }
  }
};

}  // namespace

std::vector<field_error> check_structural(const document& openapi, const std::string& path) {
  checker c;
  c.root(openapi, path);
  return std::move(c.errors);
}

}  // namespace wh::internal
