#include <algorithm>

#include "resources/internal/pattern.hpp"
#include "resources/internal/schema_compiler.hpp"

namespace wh::internal {
namespace {

using node = schema::node;
using value_type = node::value_type;

constexpr int depth_max = 100;
constexpr std::size_t pattern_size_max = 200'000;  // of all different patterns of a schema: some ten megabytes

const document* find(const document& doc, std::string_view key) {
  const auto it = doc.find(key);
  return it == doc.end() ? nullptr : &*it;
}

bool flag(const document& doc, std::string_view key) {
  const auto* value = find(doc, key);
  return value && value->is_boolean() && value->get<bool>();
}

std::string text(const document& doc, std::string_view key) { return std::string(string_at(doc, {key})); }

std::optional<double> number(const document& doc, std::string_view key) {
  const auto* value = find(doc, key);
  if (!value || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::optional<std::uint64_t> size(const document& doc, std::string_view key) {
  const auto* value = find(doc, key);
  if (!value || !value->is_number_integer() || value->get<std::int64_t>() < 0) return std::nullopt;
  return value->get<std::uint64_t>();
}

std::optional<value_type> type_named(std::string_view name) {
  if (name == "object") return value_type::object;
  if (name == "array") return value_type::array;
  if (name == "string") return value_type::string;
  if (name == "integer") return value_type::integer;
  if (name == "number") return value_type::number;
  if (name == "boolean") return value_type::boolean;
  return std::nullopt;
}

std::optional<node::wire_type> wire_named(std::string_view name) {
  using wire = node::wire_type;
  if (name == "time") return wire::time;
  if (name == "micro-time") return wire::micro_time;
  if (name == "quantity") return wire::quantity;
  if (name == "int-or-string") return wire::int_or_string;
  if (name == "raw") return wire::raw;
  if (name == "items") return wire::items;
  return std::nullopt;
}

/// Members that say something about the field, to its parent, and nothing about its value.
bool is_about_field(std::string_view key) { return key == "x-protobuf" || key == "x-keep-zero"; }

/// The type of a schema that says nothing else, else empty.
std::string plain_type(const document& doc) {
  const bool plain = std::all_of(doc.items().begin(), doc.items().end(), [](const auto& member) {
    return member.key() == "type" || is_about_field(member.key());
  });
  return plain ? text(doc, "type") : "";
}

/// `$ref` with siblings means: that definition, changed in these points.
bool overrides(const document& doc) {
  return std::any_of(doc.items().begin(), doc.items().end(), [](const auto& member) {
    const auto& key = member.key();
    return key != "$ref" && !is_about_field(key);
  });
}

bool any_defaults(const node& n) {
  const auto has = [](const node::ptr& child) { return child && child->has_defaults; };
  return n.default_value || !n.default_rule.empty() || has(n.additional) || has(n.items) ||
         std::any_of(n.properties.begin(), n.properties.end(), [&](const auto& p) { return has(p.schema); });
}

}  // namespace

void finish(node& n) {
  std::sort(n.properties.begin(), n.properties.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  // Dropping nulls is part of defaulting, and typed kinds need it everywhere.
  n.has_defaults = n.drop_null || any_defaults(n);
}

void schema_compiler::complain(std::string why) {
  if (error_) return;
  std::string where;
  for (const auto& part : path_) where += (where.empty() ? "" : ".") + part;
  error_ = fail(errc::invalid, (where.empty() ? "" : where + ": ") + why);
}

result<node::ptr> schema_compiler::compile(const document& doc) {
  path_.clear();
  error_.reset();
  auto out = node_of(doc, 0);
  if (error_) return *error_;
  return out;
}

node::ptr schema_compiler::definition(const std::string& name, int depth) {
  if (const auto it = ready_.find(name); it != ready_.end()) {
    if (!it->second) complain("definition " + name + " contains itself");
    return it->second;
  }
  const auto* source = options_.definitions ? options_.definitions(name) : nullptr;
  if (!source) {
    complain("$ref: no definition " + name);
    return nullptr;
  }
  ready_[name] = nullptr;
  return ready_[name] = node_of(*source, depth + 1);
}

node::ptr schema_compiler::node_of(const document& doc, int depth) {
  if (depth > depth_max) complain("nested deeper than " + std::to_string(depth_max));
  if (!doc.is_object()) complain("a schema must be an object");
  if (error_) return nullptr;
  // Most fields are of a plain type, and one node serves them all.
  const auto plain = plain_type(doc);
  if (const auto known = plain_.find(plain); !plain.empty() && known != plain_.end()) return known->second;
  auto out = std::make_shared<node>();
  if (const auto* ref = find(doc, "$ref"); ref && ref->is_string()) {
    auto referred = definition(ref->get<std::string>(), depth);
    if (!referred || !overrides(doc)) return referred;
    *out = *referred;
  }
  out->drop_null = options_.drop_null;
  read_type(*out, doc);
  read_extensions(*out, doc);
  read_bounds(*out, doc);
  read_text_rules(*out, doc);
  read_members(*out, doc, depth);
  read_wire(*out, doc, depth);
  read_combinations(*out, doc, depth);
  if (error_) return nullptr;
  finish(*out);
  if (!plain.empty()) plain_[plain] = out;
  if (!out->embedded_resource) return out;
  for (const char* name : {"apiVersion", "kind"}) {
    if (std::find(out->required.begin(), out->required.end(), name) == out->required.end())
      out->required.emplace_back(name);
  }
  return as_resource(*out);
}

void schema_compiler::read_type(node& out, const document& doc) {
  if (const auto name = text(doc, "type"); !name.empty()) {
    const auto type = type_named(name);
    if (!type) return complain("type: Unsupported value: \"" + name + "\"");
    out.type = *type;
  }
  if (flag(doc, "x-kubernetes-int-or-string")) out.type = value_type::int_or_string;
  if (flag(doc, "nullable")) out.nullable = true;
  if (const auto* value = find(doc, "default")) out.default_value = *value;
  if (const auto* values = find(doc, "enum"); values && values->is_array()) {
    out.enum_values = values->get<std::vector<document>>();
  }
}

void schema_compiler::read_extensions(node& out, const document& doc) {
  if (flag(doc, "x-kubernetes-preserve-unknown-fields")) out.preserve_unknown = true;
  if (flag(doc, "x-kubernetes-embedded-resource")) out.embedded_resource = true;
  if (flag(doc, "x-allow-duplicates")) out.allow_duplicates = true;
  if (flag(doc, "x-immutable")) out.immutable = true;
  const auto list = text(doc, "x-kubernetes-list-type");
  if (list == "set") out.list = node::list_type::set;
  if (list == "map") out.list = node::list_type::map;
  if (text(doc, "x-kubernetes-map-type") == "atomic") out.map = node::map_type::atomic;
  if (doc.contains("x-kubernetes-list-map-keys")) out.map_keys = texts_at(doc, {"x-kubernetes-list-map-keys"});
  if (doc.contains("x-default-rule")) out.default_rule = text(doc, "x-default-rule");
}

void schema_compiler::read_bounds(node& out, const document& doc) {
  const auto take = [](auto& slot, auto value) {
    if (value) slot = value;
  };
  take(out.minimum, number(doc, "minimum"));
  take(out.maximum, number(doc, "maximum"));
  take(out.multiple_of, number(doc, "multipleOf"));
  if (flag(doc, "exclusiveMinimum")) out.exclusive_minimum = true;
  if (flag(doc, "exclusiveMaximum")) out.exclusive_maximum = true;
  take(out.min_length, size(doc, "minLength"));
  take(out.max_length, size(doc, "maxLength"));
  take(out.min_items, size(doc, "minItems"));
  take(out.max_items, size(doc, "maxItems"));
  take(out.min_properties, size(doc, "minProperties"));
  take(out.max_properties, size(doc, "maxProperties"));
}

void schema_compiler::read_text_rules(node& out, const document& doc) {
  if (doc.contains("format")) out.format = text(doc, "format");
  const auto expression = text(doc, "pattern");
  if (expression.empty()) return;
  out.pattern_text = expression;
  out.pattern = pattern_of(expression);
}

std::shared_ptr<const pattern> schema_compiler::pattern_of(const std::string& expression) {
  if (const auto known = patterns_.find(expression); known != patterns_.end()) return known->second;
  if (error_) return nullptr;
  auto compiled = pattern::compile(expression);
  if (!compiled) {
    complain("pattern: " + compiled.err().message);
    return nullptr;
  }
  pattern_size_ += compiled->size();
  if (pattern_size_ > pattern_size_max) complain("pattern: the patterns of this schema are too large together");
  return patterns_[expression] = std::make_shared<const pattern>(std::move(*compiled));
}

void schema_compiler::read_members(node& out, const document& doc, int depth) {
  if (doc.contains("required")) out.required = texts_at(doc, {"required"});
  if (const auto* properties = find(doc, "properties"); properties && properties->is_object()) {
    for (const auto& [name, child] : properties->items()) {
      path_.push_back(name);
      auto compiled = node_of(child, depth + 1);
      path_.pop_back();
      std::erase_if(out.properties, [&key = name](const auto& p) { return p.name == key; });
      const bool typed = int_at(child, {"x-protobuf"}, 0) > 0;
      out.properties.push_back({name, std::move(compiled), typed && !flag(child, "x-keep-zero")});
    }
  }
  if (const auto* additional = find(doc, "additionalProperties")) {
    if (additional->is_object()) {
      path_.emplace_back("*");
      out.additional = node_of(*additional, depth + 1);
      path_.pop_back();
    } else if (additional->is_boolean() && additional->get<bool>()) {
      out.preserve_unknown = true;
    }
  }
  if (const auto* items = find(doc, "items")) {
    path_.emplace_back("[]");
    out.items = node_of(*items, depth + 1);
    path_.pop_back();
  }
}

void schema_compiler::read_wire(node& out, const document& doc, int depth) {
  if (const auto name = text(doc, "x-wire"); !name.empty()) {
    const auto wire = wire_named(name);
    if (!wire) return complain("x-wire: Unsupported value: \"" + name + "\"");
    out.wire = *wire;
  }
  // Numbers index the sorted properties, so sorting comes first; inlined messages add properties and go before it.
  read_inlined(out, doc, depth);
  if (error_) return;
  std::sort(out.properties.begin(), out.properties.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto* properties = find(doc, "properties");
  if (!properties || !properties->is_object()) return;
  for (const auto& [name, child] : properties->items()) {
    const auto number = int_at(child, {"x-protobuf"}, 0);
    if (number <= 0) continue;
    const auto at = std::lower_bound(out.properties.begin(), out.properties.end(), name,
                                     [](const auto& p, const auto& key) { return p.name < key; });
    out.wire_fields.push_back({.number = static_cast<std::uint32_t>(number),
                               .index = static_cast<std::size_t>(at - out.properties.begin()),
                               .inlined = nullptr});
  }
  std::sort(out.wire_fields.begin(), out.wire_fields.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
}

void schema_compiler::read_inlined(node& out, const document& doc, int depth) {
  const auto* inlined = find(doc, "x-protobuf-inline");
  if (!inlined || !inlined->is_object()) return;
  for (const auto& [name, number] : inlined->items()) {
    auto part = definition(name, depth);
    if (!part || !number.is_number_integer()) return complain("x-protobuf-inline: bad entry " + name);
    for (const auto& property : part->properties) {
      const bool redefined = std::any_of(out.properties.begin(), out.properties.end(),
                                         [&](const auto& p) { return p.name == property.name; });
      if (!redefined) out.properties.push_back(property);
    }
    out.required.insert(out.required.end(), part->required.begin(), part->required.end());
    out.wire_fields.push_back({.number = number.get<std::uint32_t>(), .index = 0, .inlined = std::move(part)});
  }
}

void schema_compiler::read_combinations(node& out, const document& doc, int depth) {
  const auto read_list = [&](const char* key, std::vector<node::ptr>& into) {
    const auto* list = find(doc, key);
    if (!list || !list->is_array()) return;
    for (const auto& entry : *list) {
      path_.emplace_back(key);
      into.push_back(node_of(entry, depth + 1));
      path_.pop_back();
    }
  };
  read_list("allOf", out.all_of);
  read_list("anyOf", out.any_of);
  read_list("oneOf", out.one_of);
  if (const auto* none = find(doc, "not")) {
    path_.emplace_back("not");
    out.none_of = node_of(*none, depth + 1);
    path_.pop_back();
  }
}

node::ptr as_resource(const node& object) {
  const auto& meta = object_meta_node();
  auto out = std::make_shared<node>(object);
  const auto* own_meta = object.find_property("metadata");
  std::erase_if(out->properties,
                [](const auto& p) { return p.name == "apiVersion" || p.name == "kind" || p.name == "metadata"; });
  auto string = std::make_shared<node>();
  string->type = value_type::string;
  auto metadata = std::make_shared<node>(*meta);
  if (own_meta) {
    // A CRD may narrow name and generateName, nothing else of metadata.
    for (const char* name : {"name", "generateName"}) {
      const auto* narrowed = own_meta->find_property(name);
      if (!narrowed) continue;
      const auto it = std::find_if(metadata->properties.begin(), metadata->properties.end(),
                                   [&](const auto& p) { return p.name == name; });
      it->schema = std::make_shared<node>(*narrowed);
    }
  }
  // Protobuf numbers refer to places among the properties, which are about to move.
  std::vector<std::pair<std::uint32_t, std::string>> numbers;
  for (const auto& field : object.wire_fields) {
    if (!field.inlined) numbers.emplace_back(field.number, object.properties[field.index].name);
  }
  out->properties.push_back({"apiVersion", string, false});
  out->properties.push_back({"kind", string, false});
  out->properties.push_back({"metadata", metadata, false});
  finish(*out);
  std::erase_if(out->wire_fields, [](const auto& f) { return !f.inlined; });
  for (const auto& [number, name] : numbers) {
    const auto at = std::find_if(out->properties.begin(), out->properties.end(),
                                 [&key = name](const auto& p) { return p.name == key; });
    out->wire_fields.push_back({number, static_cast<std::size_t>(at - out->properties.begin()), nullptr});
  }
  return out;
}

}  // namespace wh::internal

namespace wh {

const schema::node* schema::node::find_property(std::string_view name) const {
  const auto it = std::lower_bound(properties.begin(), properties.end(), name,
                                   [](const property& p, std::string_view key) { return p.name < key; });
  return it == properties.end() || it->name != name ? nullptr : it->schema.get();
}

const schema::node* schema::node::member(std::string_view name) const {
  const auto* found = find_property(name);
  return found ? found : additional.get();
}

}  // namespace wh
