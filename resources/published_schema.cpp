#include "resources/internal/published_schema.hpp"

#include <algorithm>

namespace wh::internal {
namespace {

bool is_own_extension(const std::string& key) {
  return key == "x-protobuf" || key == "x-protobuf-inline" || key == "x-wire" || key == "x-default-rule" ||
         key == "x-immutable" || key == "x-allow-duplicates" || key == "x-keep-zero";
}

/// Built-in definitions were compiled before, so those that are written out in full end.
constexpr int depth_max = 100;

class publisher {
 public:
  explicit publisher(const schema_sources& from) : from_(from) {}

  document in_full(const document& source, int depth) const {
    if (!source.is_object() || depth > depth_max) return source;
    document out = document::object();
    if (const auto* target = target_of(source)) out = in_full(*target, depth + 1);
    add_keywords(out, source, depth);
    if (const auto parts = source.find("x-protobuf-inline"); parts != source.end()) add_parts(out, *parts, depth + 1);
    return out;
  }

 private:
  document at_place(const document& source, int depth) const {
    if (!source.is_object() || !from_.public_name || !target_of(source)) return in_full(source, depth);
    const auto name = from_.public_name(source["$ref"].get<std::string>());
    return name.empty() ? in_full(source, depth) : referring(name, source, depth);
  }

  /// What stands beside a reference would not count in v3, so the reference moves into allOf, as Kubernetes writes it.
  document referring(const std::string& name, const document& source, int depth) const {
    const document reference = {{"$ref", "#/components/schemas/" + name}};
    document out = document::object();
    add_keywords(out, source, depth);
    if (out.empty()) return reference;
    out["allOf"] = document::array({reference});
    return out;
  }

  const document* target_of(const document& source) const {
    const auto ref = source.find("$ref");
    if (ref == source.end() || !ref->is_string() || !from_.definition) return nullptr;
    return from_.definition(ref->get<std::string>());
  }

  void add_keywords(document& out, const document& source, int depth) const {
    for (const auto& [key, value] : source.items()) {
      if (key == "$ref" || is_own_extension(key)) continue;
      if (key == "properties" && value.is_object()) {
        for (const auto& [name, member] : value.items()) out[key][name] = at_place(member, depth + 1);
      } else if (key == "items" || key == "additionalProperties" || key == "not") {
        out[key] = at_place(value, depth + 1);
      } else {
        out[key] = value;
      }
    }
  }

  /// Messages of their own in protobuf, members of this object in JSON.
  void add_parts(document& out, const document& parts, int depth) const {
    for (const auto& [name, number] : parts.items()) {
      const auto part = in_full({{"$ref", name}}, depth);
      const auto members = part.value("properties", document::object());
      for (const auto& [key, member] : members.items()) {
        if (!out["properties"].contains(key)) out["properties"][key] = member;
      }
      for (const auto& key : part.value("required", document::array())) {
        auto& required = out["required"];
        if (std::find(required.begin(), required.end(), key) == required.end()) required.push_back(key);
      }
    }
  }

  const schema_sources& from_;
};

}  // namespace

document published_schema(const document& source, const schema_sources& from) {
  return publisher(from).in_full(source, 0);
}

}  // namespace wh::internal
