#include "resources/crd_rules.hpp"

namespace wh {

namespace {

constexpr const char* keyword = "x-kubernetes-validations";

void collect(const document& schema, const std::string& path, std::vector<crd_rule>& out);

void collect_members(const document& members, const std::string& path, std::vector<crd_rule>& out) {
  if (!members.is_object()) return;
  for (const auto& [name, member] : members.items()) collect(member, path + "[" + name + "]", out);
}

void collect_list(const document& list, const std::string& path, std::vector<crd_rule>& out) {
  if (!list.is_array()) return;
  for (std::size_t i = 0; i < list.size(); ++i) collect(list[i], path + "[" + std::to_string(i) + "]", out);
}

void collect(const document& schema, const std::string& path, std::vector<crd_rule>& out) {
  if (!schema.is_object()) return;
  if (const auto rules = schema.find(keyword); rules != schema.end() && rules->is_array())
    for (std::size_t i = 0; i < rules->size(); ++i)
      out.push_back(
          {path + "." + keyword + "[" + std::to_string(i) + "]", std::string(string_at((*rules)[i], {"rule"}))});
  for (const auto& [key, value] : schema.items()) {
    if (key == "properties") collect_members(value, path + ".properties", out);
    else if (key == "allOf" || key == "anyOf" || key == "oneOf") collect_list(value, path + "." + key, out);
    else if (key == "items" || key == "additionalProperties" || key == "not") collect(value, path + "." + key, out);
  }
}

}  // namespace

std::vector<crd_rule> rules_of_crd(const document& crd) {
  std::vector<crd_rule> out;
  const auto* versions = find_path(crd, {"spec", "versions"});
  if (!versions || !versions->is_array()) return out;
  for (std::size_t i = 0; i < versions->size(); ++i)
    if (const auto* schema = find_path((*versions)[i], {"schema", "openAPIV3Schema"}))
      collect(*schema, "spec.versions[" + std::to_string(i) + "].schema.openAPIV3Schema", out);
  return out;
}

}  // namespace wh
