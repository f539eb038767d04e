#include "apiserver/openapi_v2.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace wh {

namespace {

constexpr std::string_view v3_schemas = "#/components/schemas/";
constexpr std::string_view v2_schemas = "#/definitions/";

bool is_true(const document& d, const char* key) {
  const auto it = d.find(key);
  return it != d.end() && it->is_boolean() && it->get<bool>();
}

/// One reference within allOf stands alone there only to carry a description or a default beside it.
document flattened(const document& v3) {
  const auto all = v3.find("allOf");
  if (all == v3.end() || !all->is_array() || all->size() != 1 || !all->front().contains("$ref")) return v3;
  document out = v3;
  out.erase("allOf");
  out["$ref"] = all->front()["$ref"];
  return out;
}

/// Quantity and IntOrString.
bool may_be_text(const document& v3) {
  const auto one = v3.find("oneOf");
  if (v3.contains("type") || one == v3.end() || !one->is_array()) return false;
  const document text = {{"type", "string"}};
  return std::find(one->begin(), one->end(), text) != one->end();
}

document swagger_members(const document& members) {
  document out = document::object();
  for (const auto& [name, schema] : members.items()) out[name] = swagger_schema(schema);
  return out;
}

/// Clients that read these schemas check objects before the server completes them: what has a default or may be null
/// need not be there.
document required_of(const document& v3) {
  document out = document::array();
  for (const auto& name : v3["required"]) {
    const auto* member = name.is_string() ? find_path(v3, {"properties", name.get_ref<const std::string&>()}) : nullptr;
    if (!member || !(member->contains("default") || is_true(*member, "nullable"))) out.push_back(name);
  }
  return out;
}

}  // namespace

document swagger_schema(const document& v3) {
  if (!v3.is_object()) return v3;
  document out = document::object();
  const document flat = flattened(v3);
  for (const auto& [key, value] : flat.items()) {
    if (key == "required") {
      if (auto names = required_of(flat); !names.empty()) out[key] = std::move(names);
      continue;
    }
    if (key == "oneOf" || key == "anyOf" || key == "not" || key == "nullable") continue;
    if (key == "$ref") {
      std::string target = value;
      if (target.starts_with(v3_schemas)) target = std::string(v2_schemas) + target.substr(v3_schemas.size());
      out[key] = target;
    } else if (key == "properties") {
      out[key] = swagger_members(value);
    } else if (key == "items" || key == "additionalProperties") {
      out[key] = swagger_schema(value);
    } else {
      out[key] = value;
    }
  }
  if (may_be_text(v3)) out["type"] = "string";
  if (is_true(v3, "x-kubernetes-int-or-string")) {
    out["type"] = "string";
    if (!out.contains("format")) out["format"] = "int-or-string";
  }
  if (is_true(v3, "nullable") || is_true(v3, "x-kubernetes-preserve-unknown-fields"))
    for (const char* key : {"type", "items", "properties", "additionalProperties"}) out.erase(key);
  return out;
}

namespace {

/// Protobuf, written front to back. Field numbers are those of gnostic's OpenAPIv2.proto.
class wire {
 public:
  wire& bytes(unsigned number, std::string_view value) {
    tag(number, 2);
    varint(value.size());
    out_ += value;
    return *this;
  }
  wire& message(unsigned number, const wire& value) { return bytes(number, value.out_); }
  wire& integer(unsigned number, std::uint64_t value) {
    tag(number, 0);
    varint(value);
    return *this;
  }
  wire& real(unsigned number, double value) {
    tag(number, 1);
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8) out_ += static_cast<char>(bits & 0xff);
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  void tag(unsigned number, unsigned type) { varint(number << 3 | type); }
  void varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_ += static_cast<char>(v | 0x80);
    out_ += static_cast<char>(v);
  }
  std::string out_;
};

/// Any: the value as YAML, of which JSON is a part.
wire any_of(const document& value) {
  return std::move(wire().bytes(2, value.dump(-1, ' ', false, document::error_handler_t::replace)));
}

wire named(const std::string& name, const wire& value) { return std::move(wire().bytes(1, name).message(2, value)); }

wire schema_message(const document& schema);

wire named_schemas(const document& schemas) {
  wire out;
  for (const auto& [name, schema] : schemas.items()) out.message(1, named(name, schema_message(schema)));
  return out;
}

struct numbered {
  const char* key;
  unsigned number;
};
constexpr std::array<numbered, 5> texts = {
    {{"$ref", 1}, {"format", 2}, {"title", 3}, {"description", 4}, {"pattern", 13}}};
constexpr std::array<numbered, 3> reals = {{{"multipleOf", 6}, {"maximum", 7}, {"minimum", 9}}};
constexpr std::array<numbered, 6> integers = {{{"maxLength", 11},
                                               {"minLength", 12},
                                               {"maxItems", 14},
                                               {"minItems", 15},
                                               {"maxProperties", 17},
                                               {"minProperties", 18}}};
constexpr std::array<numbered, 4> flags = {
    {{"exclusiveMaximum", 8}, {"exclusiveMinimum", 10}, {"uniqueItems", 16}, {"readOnly", 27}}};

/// False: the keyword is none with a plain value.
bool add_plain(wire& out, const std::string& key, const document& value) {
  const auto number_in = [&](const auto& table) {
    const auto it = std::find_if(table.begin(), table.end(), [&](const numbered& n) { return key == n.key; });
    return it == table.end() ? 0U : it->number;
  };
  if (const auto n = number_in(texts); n != 0 && value.is_string()) out.bytes(n, value.get_ref<const std::string&>());
  else if (const auto r = number_in(reals); r != 0 && value.is_number()) out.real(r, value.get<double>());
  else if (const auto i = number_in(integers); i != 0 && value.is_number()) out.integer(i, value.get<std::uint64_t>());
  else if (const auto f = number_in(flags); f != 0 && value.is_boolean()) out.integer(f, value.get<bool>() ? 1 : 0);
  else return false;
  return true;
}

wire schema_message(const document& schema) {
  wire out;
  for (const auto& [key, value] : schema.items()) {
    if (add_plain(out, key, value)) continue;
    if (key == "default") {
      out.message(5, any_of(value));
    } else if (key == "required") {
      for (const auto& name : value) out.bytes(19, name.get_ref<const std::string&>());
    } else if (key == "enum") {
      for (const auto& each : value) out.message(20, any_of(each));
    } else if (key == "additionalProperties") {
      out.message(21, value.is_boolean() ? std::move(wire().integer(2, value.get<bool>() ? 1 : 0))
                                         : std::move(wire().message(1, schema_message(value))));
    } else if (key == "type") {
      out.message(22, std::move(wire().bytes(1, value.get_ref<const std::string&>())));
    } else if (key == "items") {
      out.message(23, std::move(wire().message(1, schema_message(value))));
    } else if (key == "allOf") {
      for (const auto& each : value) out.message(24, schema_message(each));
    } else if (key == "properties") {
      out.message(25, named_schemas(value));
    } else if (key.starts_with("x-")) {
      out.message(31, named(key, any_of(value)));
    }
  }
  return out;
}

/// A query parameter, in ParametersItem.parameter.non_body_parameter.query_parameter_sub_schema.
wire parameter_message(const document& p) {
  wire query;
  query.bytes(2, p["in"].get_ref<const std::string&>());
  query.bytes(4, p["name"].get_ref<const std::string&>());
  query.bytes(6, p["type"].get_ref<const std::string&>());
  return std::move(wire().message(1, std::move(wire().message(2, std::move(wire().message(3, query))))));
}

wire operation_message(const document& operation) {
  wire out;
  for (const auto& p : operation["parameters"]) out.message(8, parameter_message(p));
  for (const auto& [key, value] : operation.items())
    if (key.starts_with("x-")) out.message(13, named(key, any_of(value)));
  return out;
}

}  // namespace

std::string gnostic_schema(const document& schema) { return schema_message(schema).take(); }

std::string gnostic_protobuf(const document& swagger, const std::map<std::string, std::string>& definitions) {
  wire paths;
  for (const auto& [path, item] : swagger["paths"].items())
    paths.message(2, named(path, std::move(wire().message(8, operation_message(item["patch"])))));
  const auto& info = swagger["info"];
  wire out;
  out.bytes(1, swagger["swagger"].get_ref<const std::string&>());
  out.message(2, std::move(wire()
                               .bytes(1, info["title"].get_ref<const std::string&>())
                               .bytes(2, info["version"].get_ref<const std::string&>())));
  out.message(8, paths);
  wire named_definitions;
  for (const auto& [name, schema] : definitions)
    named_definitions.message(1, std::move(wire().bytes(1, name).bytes(2, schema)));
  out.message(9, named_definitions);
  return out.take();
}

}  // namespace wh
